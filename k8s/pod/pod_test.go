//go:build pod

package pod

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// policy denies, changes and puts into quarantine, and is otherwise content.
const policy = `package wonted.policy

deny contains "exports are closed" if input.request.path == "/v1/export"

response_headers contains {"name": "x-judged", "value": "by-wonted"} if input.request.method == "GET"

quarantine contains {"entity": "caller", "ttl": "15m"} if input.request.path == "/v1/orders/13"
`

// demo is examples/demo with that policy, enforced.
func demo(t *testing.T) []tree {
	t.Helper()
	text, err := exec.Command(os.Getenv("KUSTOMIZE"), "build", "../examples/demo").Output()
	if err != nil {
		t.Fatalf("kustomize: %v", err)
	}
	objects := documents(t, text)
	changed := 0
	for _, o := range objects {
		data, _ := o["data"].(tree)
		if text, ok := data["wonted.yaml"].(string); ok && strings.Contains(text, "mode: shadow") {
			data["wonted.yaml"] = strings.Replace(text, "mode: shadow", "mode: enforce", 1)
			changed++
		}
		if _, ok := data["policy.rego"]; ok {
			data["policy.rego"] = policy
			changed++
		}
	}
	if changed != 2 {
		t.Fatal("the example has another configuration or policy than this test knows")
	}
	return objects
}

func TestPod(t *testing.T) {
	p := play(t, demo(t), "life")
	f := &front{pods: []*pod{p}}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: f.dial}}
	ask := func(key, path string) answer {
		t.Helper()
		a, err := get(client, key, path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return a
	}

	// Nobody waits for wonted once Envoy takes requests.
	if a := ask("customer", "/v1/orders/48001"); a.status != http.StatusOK || !a.judged {
		t.Errorf("the first request: %+v, want it to be judged", a)
	}

	t.Run("confined", func(t *testing.T) {
		for _, c := range p.all() {
			pid := p.pid(p.of(c.Name))
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{`Uid:\s65532\s65532`, `Gid:\s65532\s65532`, `CapEff:\s0+\n`, `NoNewPrivs:\s1`, `Seccomp:\s2`} {
				if !regexp.MustCompile(want).Match(status) {
					t.Errorf("%s: /proc/PID/status has no %s", c.Name, want)
				}
			}
			mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mounts", pid))
			if err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(`(?m)^overlay / overlay ro,`).Match(mounts) {
				t.Errorf("%s can write to its root:\n%s", c.Name, mounts)
			}
		}
	})

	t.Run("judged", func(t *testing.T) {
		if a := ask("customer", "/v1/export"); a.status != http.StatusForbidden || !strings.Contains(a.body, `"reason":"denied"`) {
			t.Errorf("what the policy denies: %+v", a)
		}
		if a := ask("thief", "/v1/orders/13"); a.status != http.StatusOK {
			t.Errorf("what leads to quarantine: %+v", a)
		}
		if a := ask("thief", "/v1/orders/48001"); a.status != http.StatusForbidden || !strings.Contains(a.body, `"reason":"quarantined"`) {
			t.Errorf("who is in quarantine: %+v", a)
		}
		if a := ask("customer", "/v1/orders/48001"); a.status != http.StatusOK || !a.judged {
			t.Errorf("who is not: %+v", a)
		}
	})

	// kubectl exec -c wonted -- wonted …
	t.Run("asked", func(t *testing.T) {
		if got := podman(t, "exec", p.of("wonted"), "wonted", "health", "--config", "/etc/wonted/config/wonted.yaml"); got != "serving" {
			t.Errorf("wonted health: %q", got)
		}
		if got := podman(t, "exec", p.of("wonted"), "wonted", "quarantine", "list", "--output", "json"); !strings.Contains(got, `"entity": "caller"`) {
			t.Errorf("wonted quarantine list: %s", got)
		}
	})

	// Its socket is left over in the emptyDir each time, and what it knew of
	// quarantine is in its volume.
	t.Run("killed", func(t *testing.T) {
		const times = 5
		stop := traffic(t, f)
		for range times {
			before := p.pid(p.of("wonted"))
			if err := syscall.Kill(before, syscall.SIGKILL); err != nil { // podman kill would not be followed by a restart
				t.Fatal(err)
			}
			if err := wait(func() error {
				if now := p.pid(p.of("wonted")); now == 0 || now == before {
					return fmt.Errorf("its process is %d, and was %d", now, before)
				}
				return nil
			}); err != nil {
				t.Fatalf("wonted was not started again: %v", err)
			}
			p.await(p.container("wonted"), p.container("wonted").StartupProbe)
		}
		s := stop()
		s.unharmed(t, 0)
		if s.unjudged == 0 {
			t.Error("no request passed unjudged: was wonted ever away?")
		}
		if err := wait(func() error {
			if a := ask("customer", "/v1/orders/48001"); !a.judged {
				return fmt.Errorf("requests are not judged again: %+v", a)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if a := ask("thief", "/v1/orders/48001"); a.status != http.StatusForbidden {
			t.Errorf("who was in quarantine: %+v", a)
		}
	})

	t.Run("Envoy replaced", func(t *testing.T) {
		stop := traffic(t, f)
		p.replace("envoy")
		if a := ask("customer", "/v1/orders/48001"); a.status != http.StatusOK || !a.judged {
			t.Errorf("the first request to the new Envoy: %+v", a)
		}
		s := stop()
		s.unharmed(t, 1)
		if s.unjudged > 0 {
			t.Errorf("%d requests passed unjudged", s.unjudged)
		}
	})

	t.Run("ended", func(t *testing.T) {
		stop := traffic(t, f)
		p.stop()
		s := stop()
		s.unharmed(t, 1)
		if s.unjudged > 0 {
			t.Errorf("%d requests passed unjudged: wonted was gone before Envoy", s.unjudged)
		}
		if s.refused == 0 {
			t.Error("traffic had ended before Envoy did")
		}
		const ended = "{{.State.ExitCode}} {{.State.FinishedAt.UTC.Format \"2006-01-02T15:04:05.000000000\"}}"
		envoy, wonted := podman(t, "inspect", "--format", ended, p.of("envoy")), podman(t, "inspect", "--format", ended, p.of("wonted"))
		if !strings.HasPrefix(envoy, "0 ") || !strings.HasPrefix(wonted, "0 ") || wonted <= envoy {
			t.Errorf("Envoy ended with %s, wonted with %s: want 0 of both, wonted later", envoy, wonted)
		}
		if logs := p.logs("wonted"); !strings.Contains(logs, "draining") || strings.Contains(logs, "could not be saved") {
			t.Errorf("wonted says at its end:\n%s", tail(logs, 5))
		}
	})
}

// TestUpgrade puts a new pod in the place of an old one as a Deployment does with
// maxUnavailable 0: the new one is ready first; that the old one is to go reaches
// it and those who send traffic at the same time, the latter somewhat later.
func TestUpgrade(t *testing.T) {
	old := play(t, demo(t), "old")
	f := &front{pods: []*pod{old}}
	stop := traffic(t, f)
	time.Sleep(time.Second) // of traffic to the old one alone
	successor := play(t, demo(t), "new")
	f.set(old, successor)
	late := time.AfterFunc(3*time.Second, func() { f.set(successor) })
	defer late.Stop()
	old.stop()
	s := stop()
	s.unharmed(t, 0)
	if s.refused > 0 || s.unjudged > 0 {
		t.Errorf("%d requests were refused, %d passed unjudged", s.refused, s.unjudged)
	}
}
