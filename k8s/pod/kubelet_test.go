//go:build pod

package pod

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is for a machine that has other things to do as well.
const patience = time.Minute

// pod is a pod that podman runs and that the test looks after.
type pod struct {
	t    *testing.T
	name string
	said manifest

	infra   string       // container that holds the network
	network *os.File     // by which a thread enters it, when the pod has ended too
	http    *http.Client // inside the pod
}

// play makes a pod of the objects, and starts it as kubelet does.
func play(t *testing.T, objects []tree, name string) *pod {
	t.Helper()
	text, said := forPodman(t, objects, name)
	file := filepath.Join(t.TempDir(), "pod.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p := &pod{t: t, name: name, said: said}
	p.http = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: p.dial, DisableKeepAlives: true}}
	t.Cleanup(func() {
		if t.Failed() {
			for _, c := range p.all() {
				t.Logf("%s says:\n%s", c.Name, tail(p.logs(c.Name), 20))
			}
		}
		podman(t, "pod", "rm", "--force", "--time", "0", name)
		for volume := range strings.FieldsSeq(podman(t, "volume", "ls", "--quiet")) {
			if strings.HasSuffix(volume, "-"+name) {
				podman(t, "volume", "rm", volume)
			}
		}
	})
	podman(t, "kube", "play", "--start=false", "--network", "none", file)
	p.infra = podman(t, "pod", "inspect", "--format", "{{.InfraContainerID}}", name)
	podman(t, "start", p.infra)
	network, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", p.pid(p.infra)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { network.Close() })
	p.network = network
	for _, c := range said.InitContainers {
		if c.RestartPolicy != "Always" || c.StartupProbe == nil {
			t.Fatalf("%s is no sidecar with a startup probe", c.Name)
		}
		podman(t, "start", p.of(c.Name))
		p.await(c, c.StartupProbe)
	}
	for _, c := range said.Containers {
		podman(t, "start", p.of(c.Name))
	}
	for _, c := range said.Containers {
		if c.ReadinessProbe != nil {
			p.await(c, c.ReadinessProbe)
		}
	}
	return p
}

// stop ends the pod as kubelet does: preStop, SIGTERM, and then the sidecars,
// in the other order.
func (p *pod) stop() {
	p.t.Helper()
	var all sync.WaitGroup
	for _, c := range p.said.Containers {
		all.Go(func() { p.end(c) })
	}
	all.Wait()
	for _, c := range slices.Backward(p.said.InitContainers) {
		p.end(c)
	}
}

// end ends one container, and kills it after the pod's grace.
func (p *pod) end(c container) {
	before := c.Lifecycle.PreStop
	if before.Exec.Command != nil {
		podman(p.t, append([]string{"exec", p.of(c.Name)}, before.Exec.Command...)...)
	}
	time.Sleep(time.Duration(before.Sleep.Seconds) * time.Second)
	podman(p.t, "stop", "--time", strconv.Itoa(p.said.Grace), p.of(c.Name))
}

// replace ends one container and starts it again, which kubelet does where its
// liveness probe fails.
func (p *pod) replace(name string) {
	p.t.Helper()
	c := p.container(name)
	p.end(c)
	podman(p.t, "start", p.of(name))
	p.await(c, c.ReadinessProbe)
}

// await asks a probe until it is content.
func (p *pod) await(c container, ask *probe) {
	p.t.Helper()
	if err := wait(func() error { return p.ask(c, ask) }); err != nil {
		p.t.Fatalf("%s: %v", c.Name, err)
	}
}

func (p *pod) ask(c container, ask *probe) error {
	port := func(name string) string {
		for _, port := range c.Ports {
			if port.Name == name {
				return net.JoinHostPort("127.0.0.1", strconv.Itoa(port.ContainerPort))
			}
		}
		p.t.Fatalf("%s has no port %s", c.Name, name)
		return ""
	}
	if ask.TCPSocket != nil {
		conn, err := p.dial(context.Background(), "tcp", port(ask.TCPSocket.Port))
		if err == nil {
			conn.Close()
		}
		return err
	}
	answer, err := p.http.Get("http://" + port(ask.HTTPGet.Port) + ask.HTTPGet.Path)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", ask.HTTPGet.Path, answer.Status)
	}
	return nil
}

// dial connects to an address inside the pod: a socket is of the network in which
// the thread is that makes it.
func (p *pod) dial(ctx context.Context, network, address string) (net.Conn, error) {
	runtime.LockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	defer here.Close()
	if err := unix.Setns(int(p.network.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if back := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); back != nil {
		return conn, back // the thread is lost, and ends with this goroutine
	}
	runtime.UnlockOSThread()
	return conn, err
}

func (p *pod) of(container string) string { return p.name + "-" + container }

func (p *pod) all() []container {
	return append(slices.Clone(p.said.InitContainers), p.said.Containers...)
}

func (p *pod) container(name string) container {
	all := p.all()
	i := slices.IndexFunc(all, func(c container) bool { return c.Name == name })
	if i < 0 {
		p.t.Fatalf("the pod has no container %s", name)
	}
	return all[i]
}

// pid is the process of a container, on this machine.
func (p *pod) pid(container string) int {
	pid, err := strconv.Atoi(podman(p.t, "inspect", "--format", "{{.State.Pid}}", container))
	if err != nil {
		p.t.Fatal(err)
	}
	return pid
}

func (p *pod) logs(container string) string {
	out, _ := exec.Command(os.Getenv("PODMAN"), "logs", p.of(container)).CombinedOutput()
	return string(out)
}

// podman runs one command of it and returns what it prints.
func podman(t *testing.T, args ...string) string {
	var complaint strings.Builder
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Getenv("PODMAN"), args...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("podman %s: %v\n%s%s", strings.Join(args, " "), err, out, tail(complaint.String(), 10))
	}
	return strings.TrimSpace(string(out))
}

// wait tries until it works, or patience ends.
func wait(try func() error) (err error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = try(); err == nil {
			return nil
		}
	}
	return err
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
