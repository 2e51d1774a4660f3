package envoy_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// A network is put into quarantine by a policy: Envoy refuses it by itself from
// then on, and wonted hears of it only by the access log.
func TestANetworkIsRefusedBeforeWontedIsAsked(t *testing.T) {
	s := setBlocking(t, "1h")
	c := http1(t)
	s.wants(s.from(c, intruder, "/orders"), 200)
	s.wants(s.from(c, intruder, "/admin.php"), 200) // and in quarantine from now on
	begun := time.Now()
	s.refusedByEnvoy(c, neighbour)
	t.Logf("refused by Envoy %v after the answer that came with the verdict", time.Since(begun).Round(100*time.Microsecond))

	s.idle()
	before := s.metric("wonted_stream_messages_total")
	const n = 50
	for range n {
		if got := s.from(c, intruder, "/orders"); !byEnvoy(got) {
			t.Fatalf("answered %d %q", got.StatusCode, got.body)
		}
	}
	if after := s.metric("wonted_stream_messages_total"); after != before {
		t.Errorf("%v messages came to wonted about requests that are blocked", after-before)
	}
	s.wants(s.from(c, bystander, "/orders"), 200)
	if after := s.metric("wonted_stream_messages_total"); after == before {
		t.Error("wonted is not asked about others either")
	}
	envoytest.Eventually(t, "the log tells of them", func() error {
		if got := s.metric("wonted_access_log_entries_total", `result="blocked"`); got < n {
			return fmt.Errorf("of %v", got)
		}
		return nil
	})
	if n := s.metric("wonted_unprotected_exchanges_total"); n != 0 {
		t.Errorf("%v requests count as unprotected", n)
	}
}

// A block outlives wonted and is there at once when wonted is: there is no gap
// at a kill, at a restart, or at a take-over.
func TestARestartLeavesNoGap(t *testing.T) {
	s := setBlocking(t, "1h")
	c := http1(t)
	s.wants(s.from(c, intruder, "/admin.php"), 200)
	s.refusedByEnvoy(c, intruder)

	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		probe, sent := http1(t), 0
		for {
			select {
			case <-stop:
				t.Logf("%d requests meanwhile", sent)
				stopped <- nil
				return
			default:
			}
			got, err := probe.do("GET", s.envoy.URL()+"/orders", "x-forwarded-for", neighbour)
			if sent++; err != nil || !byEnvoy(got) {
				stopped <- fmt.Errorf("request %d: %v, %q", sent, err, got.body)
				return
			}
		}
	}()
	connected := func() {
		t.Helper()
		begun := time.Now()
		envoytest.Eventually(t, "Envoy is connected", func() error {
			if n := s.metric("wonted_edge_proxies"); n != 1 {
				return fmt.Errorf("%v streams", n)
			}
			return nil
		})
		t.Logf("Envoy is back %v after wonted", time.Since(begun).Round(time.Millisecond))
		if n := s.metric("wonted_edge_blocks"); n != 1 {
			t.Errorf("%v blocks are told", n)
		}
	}
	s.wonted.Kill()
	s.wants(s.from(c, bystander, "/orders"), 200) // fail: open
	s.wonted.Start(t)
	connected()
	s.wonted.TakeOver(t)
	connected()
	s.wonted.Terminate()
	s.wonted.Start(t)
	connected()
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// An operator blocks a network, and releases it after a wonted that was killed
// is back: Envoy carries out the one and the other.
func TestAnOperatorBlocksAtTheEdge(t *testing.T) {
	s := setBlocking(t, "1h")
	c := http1(t)
	s.operate("add", "network", "203.0.113.0/24", "--reason", "stuffing")
	begun := time.Now()
	s.refusedByEnvoy(c, intruder)
	t.Logf("refused by Envoy %v after the command", time.Since(begun).Round(100*time.Microsecond))
	s.wonted.Kill()
	if got := s.from(c, neighbour, "/orders"); !byEnvoy(got) {
		t.Errorf("without wonted it is answered %d %q", got.StatusCode, got.body)
	}
	s.wonted.Start(t)
	s.operate("release", "network", "203.0.113.0/24")
	begun = time.Now()
	s.passes(c, intruder)
	t.Logf("released by Envoy %v after the command, with wonted just started", time.Since(begun).Round(time.Millisecond))
}

// operate runs wonted quarantine.
func (s *scene) operate(args ...string) {
	s.Helper()
	args = append(append([]string{"quarantine"}, args...), "--admin", strings.TrimPrefix(s.wonted.Admin, "http://"))
	if out, err := exec.Command(envoytest.Build(s), args...).CombinedOutput(); err != nil {
		s.Fatalf("wonted %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// A block that has run out is lifted at the edge as well.
func TestABlockEndsAtTheEdge(t *testing.T) {
	s := setBlocking(t, "4s")
	c := http1(t)
	s.wants(s.from(c, intruder, "/admin.php"), 200)
	s.refusedByEnvoy(c, intruder)
	s.passes(c, intruder)
}

// In shadow mode nobody is refused, by Envoy neither, and that counts at once.
func TestShadowModeReleasesAtTheEdge(t *testing.T) {
	s := setBlocking(t, "1h")
	c := http1(t)
	s.wants(s.from(c, intruder, "/admin.php"), 200)
	s.refusedByEnvoy(c, intruder)
	config, err := os.ReadFile(s.wonted.Config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.wonted.Config, []byte(strings.Replace(string(config), "mode: enforce", "mode: shadow", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.wonted.Reload(t)
	s.passes(c, intruder)
}

const intruder, neighbour, bystander = "203.0.113.7", "203.0.113.99", "198.51.100.9"

// setBlocking is a scene behind one proxy that is trusted, where who asks for
// /admin.php has its network put into quarantine for so long.
func setBlocking(t testing.TB, ttl string, changes ...func(*envoy.Options)) *scene {
	t.Helper()
	changes = append([]func(*envoy.Options){func(o *envoy.Options) { o.Blocks, o.TrustedProxies, o.FailOpen = true, 1, true }}, changes...)
	return set(t, envoytest.Settings{
		Policy: rego(`quarantine contains {"entity": "network", "ttl": "` + ttl + `"} if startswith(input.request.path, "/admin.php")`),
		More:   "trusted_proxies: 1\ndata_dir: " + t.TempDir() + "\n",
	}, changes...)
}

// from is how a client with this address is answered.
func (s *scene) from(c client, address, path string) answer {
	s.Helper()
	return s.get(c, path, mark(), "x-forwarded-for", address)
}

func byEnvoy(got answer) bool {
	return got.Response != nil && got.StatusCode == 403 && strings.Contains(string(got.body), "RBAC: access denied")
}

// refusedByEnvoy waits until Envoy does not ask wonted any more.
func (s *scene) refusedByEnvoy(c client, address string) {
	s.Helper()
	for begun := time.Now(); !byEnvoy(s.from(c, address, "/orders")); {
		if time.Since(begun) > time.Minute {
			s.Fatal("Envoy lets it pass")
		}
	}
}

// passes waits until a client is answered by the upstream.
func (s *scene) passes(c client, address string) {
	s.Helper()
	envoytest.Eventually(s, "it is let pass", func() error {
		if got := s.from(c, address, "/orders"); got.StatusCode != 200 {
			return fmt.Errorf("answered %d %q", got.StatusCode, got.body)
		}
		return nil
	})
}

// BenchmarkRefused is what a request of a blocked network costs, where wonted
// refuses it and where Envoy does.
func BenchmarkRefused(b *testing.B) {
	f := func(name string, blocks bool) {
		b.Run(name, func(b *testing.B) {
			s := setBlocking(b, "1h", func(o *envoy.Options) { o.Blocks, o.LogFlush, o.AccessLog = blocks, 100*time.Millisecond, "" })
			c := http1(b)
			s.wants(s.from(c, intruder, "/admin.php"), 200)
			for begun := time.Now(); byEnvoy(s.from(c, intruder, "/orders")) != blocks; {
				if time.Since(begun) > time.Minute {
					b.Fatal("it is refused by the other")
				}
			}
			before := s.metric("process_cpu_seconds_total")
			for b.Loop() {
				s.wants(s.from(c, intruder, "/orders"), 403)
			}
			b.ReportMetric((s.metric("process_cpu_seconds_total")-before)*1e6/float64(b.N), "wonted-µs/op")
		})
	}
	f("by=wonted", false)
	f("by=envoy", true)
}
