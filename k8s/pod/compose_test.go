//go:build pod

package pod

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestCompose brings up k8s/compose with podman-compose, in a network of its own,
// so that the ports that it names are free.
func TestCompose(t *testing.T) {
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	network, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	command := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command("timeout", append([]string{"120", name}, args...)...)
		cmd.Env = append(os.Environ(), "WONTED=wonted-project/wonted:latest")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, tail(string(out), 20))
		}
		return string(out)
	}
	compose := func(args ...string) string {
		t.Helper()
		return command("podman-compose", append([]string{"-p", "wonted-test", "-f", "../compose/compose.yaml"}, args...)...)
	}
	command("ip", "link", "set", "lo", "up")

	defer compose("down", "-v")
	compose("up", "-d")
	here := &pod{t: t, network: network}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: here.dial, DisableKeepAlives: true}}
	shows := func(url, want string) {
		t.Helper()
		if err := wait(func() error {
			r, err := http.NewRequest(http.MethodGet, url, nil)
			if err != nil {
				return err
			}
			r.Header.Set("x-api-key", "somebody")
			response, body, err := do(client, r)
			if err == nil && (response.StatusCode != http.StatusOK || !strings.Contains(body, want)) {
				err = fmt.Errorf("%s %s", response.Status, tail(body, 20))
			}
			return err
		}); err != nil {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	shows("http://127.0.0.1:9464/readyz", "ready")
	shows("http://127.0.0.1:8080/v1/orders/48001", `{"id":48001,`)
	shows("http://127.0.0.1:9464/metrics", "\nwonted_exchanges_total 1\n")
	if got := compose("exec", "-T", "wonted", "wonted", "profile", "show", "somebody"); !strings.Contains(got, "caller") {
		t.Errorf("wonted profile show: %s", got)
	}
	if got := compose("exec", "-T", "wonted", "wonted", "health", "--config", "/etc/wonted/wonted.yaml"); !strings.Contains(got, "serving") {
		t.Errorf("wonted health, which the health check asks: %s", got)
	}
}
