package k8s

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// container is what the tests read of one.
type container struct {
	Name      string   `yaml:"name"`
	Command   []string `yaml:"command"`
	Args      []string `yaml:"args"`
	Lifecycle struct {
		PreStop struct {
			Exec struct {
				Command []string `yaml:"command"`
			} `yaml:"exec"`
		} `yaml:"preStop"`
	} `yaml:"lifecycle"`
}

// containers are those of a workload's file, the sidecars first.
func containers(t *testing.T, file string) []container {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var workload struct {
		Spec struct {
			Template struct {
				Spec struct {
					Init []container `yaml:"initContainers"`
					Main []container `yaml:"containers"`
				} `yaml:"spec"`
			} `yaml:"template"`
		} `yaml:"spec"`
	}
	if err := yaml.Unmarshal(text, &workload); err != nil {
		t.Fatal(err)
	}
	return append(workload.Spec.Template.Spec.Init, workload.Spec.Template.Spec.Main...)
}

// TestTheGatewaysPodLives runs what the gateway's pod consists of, with the
// commands, configurations and the preStop hook of the manifests, in the order in
// which kubelet does: wonted until it is ready, Envoy, traffic, and then preStop,
// the end of Envoy and the end of wonted. No request fails, and all are judged.
// Only places are others: here there are no volumes.
func TestTheGatewaysPodLives(t *testing.T) {
	dir, err := os.MkdirTemp("", "w") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	upstream := envoytest.StartUpstream(t)
	host, port, _ := net.SplitHostPort(upstream.Address())
	free := addresses(t, 4)
	admin, metrics, listener, envoyAdmin := free[0], free[1], free[2], free[3]
	portOf := func(address string) string { _, port, _ := net.SplitHostPort(address); return port }
	here := strings.NewReplacer(
		"/run/wonted", dir, "/var/lib/wonted", dir+"/data", "/etc/wonted/identity/key", dir+"/key", "/etc/wonted/policy", dir+"/policy",
		"/etc/wonted/config/wonted.yaml", dir+"/wonted.yaml", "/etc/envoy/envoy.yaml", dir+"/envoy.yaml",
		"127.0.0.1:8181", admin, "0.0.0.0:9464", metrics,
		"address: 0.0.0.0", "address: 127.0.0.1", "port_value: 8080", "port_value: "+portOf(listener),
		"port_value: 9901", "port_value: "+portOf(envoyAdmin), "/9901", "/"+portOf(envoyAdmin),
		"address: api", "address: "+host, "port_value: 8000", "port_value: "+port,
		"sleep 15", "read", // until the test has seen enough
	)
	for to, from := range map[string]string{
		"wonted.yaml": "base/wonted.yaml", "policy/policy.rego": "base/policy/policy.rego", "envoy.yaml": "components/gateway/envoy.yaml",
	} {
		text, err := os.ReadFile(from)
		if err == nil {
			place(t, filepath.Join(dir, to), here.Replace(string(text)))
		} else {
			t.Fatal(err)
		}
	}
	place(t, filepath.Join(dir, "key"), strings.Repeat("k", 32))
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}

	sidecar, gateway := containers(t, podFile)[0], containers(t, "components/gateway/deployment.yaml")[0]
	in := func(args []string) (all []string) {
		for _, a := range args {
			all = append(all, here.Replace(a))
		}
		return all
	}
	wonted := run(t, envoytest.Build(t), in(sidecar.Args)...)
	answers(t, "http://"+metrics+"/readyz", http.StatusOK) // startupProbe
	proxy := run(t, envoytest.Find(t), append(in(gateway.Args), "--log-level", "warning", "--concurrency", "1")...)
	envoytest.Eventually(t, "Envoy's port is open", func() error { // its readinessProbe
		conn, err := net.Dial("tcp", listener)
		if err == nil {
			conn.Close()
		}
		return err
	})

	traffic := envoytest.StartTraffic("http://"+listener, 100)
	traffic.GoesOn(t, 100)
	command := in(gateway.Lifecycle.PreStop.Exec.Command)
	hook := exec.Command(command[0], command[1:]...)
	goOn, err := hook.StdinPipe()
	if err == nil {
		err = hook.Start()
	}
	if err != nil {
		t.Fatalf("preStop: %v", err)
	}
	t.Cleanup(func() { goOn.Close() })
	envoytest.Eventually(t, "Envoy serves on, and asks clients to leave", func() error {
		resp, err := http.Get("http://" + listener + "/v1/orders")
		if err != nil {
			return err
		}
		resp.Body.Close()
		if !resp.Close {
			return errors.New("there is no connection: close")
		}
		return nil
	})
	traffic.GoesOn(t, 20)
	traffic.End(t, "a pod that ends")
	goOn.Close()
	if err := hook.Wait(); err != nil {
		t.Errorf("preStop: %v", err)
	}
	if conn, err := net.Dial("tcp", listener); err == nil {
		conn.Close()
		t.Error("preStop leaves Envoy's port open: whom it accepts last is cut off")
	}
	page := answers(t, "http://"+metrics+"/metrics", http.StatusOK)
	if !strings.Contains(page, "\nwonted_unprotected_exchanges_total 0\n") || strings.Contains(page, "\nwonted_exchanges_total 0\n") {
		t.Error("some requests were not judged")
	}
	ends(t, proxy)
	ends(t, wonted)
	if saved, err := filepath.Glob(filepath.Join(dir, "data", "snapshot-*")); err != nil || len(saved) == 0 {
		t.Error("wonted has not saved its profiles")
	}
}

// addresses are n of loopback that nobody listened on just now.
func addresses(t *testing.T, n int) (all []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all
}

// place writes a file, and its directory.
func place(t *testing.T, path, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// run starts a container's program; what it said is shown where the test fails.
func run(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = envoytest.Child()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(program), &said)
		}
	})
	return cmd
}

// ends tells a program to, as kubelet does, and wants it to do so in good order.
func ends(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s: %v", filepath.Base(cmd.Path), err)
	}
}

// answers waits until a page comes with that status.
func answers(t *testing.T, url string, status int) (page string) {
	t.Helper()
	envoytest.Eventually(t, url, func() error {
		resp, err := http.Get(url)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode != status {
			err = fmt.Errorf("%s: %s", resp.Status, text)
		}
		page = string(text)
		return err
	})
	return page
}
