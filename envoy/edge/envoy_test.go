package edge

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

func TestMain(m *testing.M) { os.Exit(envoytest.Main(m)) }

const (
	bad, worse = "203.0.113.7", "2001:db8:1:2::7" // and their networks
	good       = "198.51.100.9"
	badNet     = "203.0.113.0/24"
	worseNet   = "2001:db8:1:2::/64"
)

// What is blocked does not come to wonted, and what is not blocked does.
func TestEnvoyRefusesWhatItIsToldTo(t *testing.T) {
	log := filepath.Join(t.TempDir(), "access.log")
	s := newScene(t, func(o *envoy.Options) { o.AccessLog = log })
	l, p := s.publish()
	s.startEnvoy()
	value(t, "Envoy is connected", p.metrics.proxies, 1)
	s.want(200, bad, worse, good)

	begun := time.Now()
	l.set(badNet, worseNet)
	for s.get(bad) == 200 {
		if time.Since(begun) > time.Minute {
			t.Fatal("it is never blocked")
		}
	}
	t.Logf("blocked %v after it was decided", time.Since(begun).Round(100*time.Microsecond))
	before := s.asked.Load()
	s.want(403, bad, worse, "203.0.113.0", "203.0.113.255", "2001:db8:1:2:ffff::1")
	if asked := s.asked.Load(); asked != before {
		t.Errorf("wonted is asked about %d requests that are blocked", asked-before)
	}
	s.want(200, good, "203.0.112.255", "203.0.114.0", "2001:db8:1:3::7")
	if asked := s.asked.Load(); asked != before+4 {
		t.Errorf("wonted is asked about %d of 4 requests that are not blocked", asked-before)
	}

	envoytest.Eventually(t, "the access log says why", func() error {
		text, err := os.ReadFile(log)
		if err == nil && strings.Count(string(text), `"rbac_access_denied_matched_policy[`+policyName+`]"`) < 5 {
			err = fmt.Errorf("it does not: %s", text)
		}
		return err
	})

	begun = time.Now()
	l.set(worseNet)
	for s.get(bad) == 403 {
		if time.Since(begun) > time.Minute {
			t.Fatal("it is never released")
		}
	}
	t.Logf("released %v after it was decided", time.Since(begun).Round(100*time.Microsecond))
	s.want(403, worse)
	if n := read(t, p.metrics.rejections); n != 0 {
		t.Errorf("%v lists were rejected", n)
	}
}

// A block stays while wonted is away, and while one comes that has not yet
// loaded whom its predecessor had blocked. A release counts once it is back.
func TestABlockHoldsWhileWontedIsAway(t *testing.T) {
	s := newScene(t)
	s.publish(badNet, worseNet)
	s.startEnvoy()
	s.becomes(403, bad)
	s.server.Stop() // as a kill would
	s.want(403, bad, worse)
	s.want(200, good)

	_, p := newPublisher(t, nil, worseNet)
	s.serve(p)
	begun := time.Now()
	value(t, "Envoy is back", p.metrics.proxies, 1)
	t.Logf("Envoy is back %v after wonted", time.Since(begun).Round(time.Millisecond))
	s.want(403, bad, worse) // nothing is published yet
	go p.Run(t.Context())
	envoytest.Eventually(t, "the other is released", func() error {
		if got := s.get(worse); got != 403 {
			return envoytest.Hopeless(fmt.Errorf("what is still blocked is answered %d", got))
		}
		if got := s.get(bad); got != 200 {
			return fmt.Errorf("it is answered %d", got)
		}
		return nil
	})
}

// Who goes in peace ends the streams, which would keep it for ever, and its
// successor is asked.
func TestASuccessorIsAsked(t *testing.T) {
	s := newScene(t)
	_, p := s.publish(badNet)
	s.startEnvoy()
	s.becomes(403, bad)
	p.Close()
	s.server.GracefulStop()
	value(t, "no stream is left", p.metrics.proxies, 0)
	s.want(403, bad)
	s.publish(worseNet)
	s.becomes(200, bad)
	s.want(403, worse)
}

func TestEnvoyStartsWithoutWonted(t *testing.T) {
	s := newScene(t)
	s.startEnvoy()
	s.want(200, good, bad)
	s.publish(badNet)
	s.becomes(403, bad)
	s.want(200, good)
}

// The file does what the stream does, and with it a block holds even where
// Envoy itself is started anew while wonted is away.
func TestEnvoyWatchesTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "blocks.json")
	s := newScene(t, func(o *envoy.Options) { o.BlocksFile = file })
	l, p := newPublisher(t, func(c *Config) { c.File = file }, worseNet)
	if _, err := os.Stat(file); err == nil {
		t.Error("the file is written before anything is known")
	}
	s.serve(p)
	go p.Run(t.Context())
	value(t, "it is published", p.metrics.blocks, 1)
	s.startEnvoy()
	s.want(200, bad)
	s.want(403, worse)

	begun := time.Now()
	l.set(badNet)
	for s.get(bad) == 200 {
		if time.Since(begun) > time.Minute {
			t.Fatal("it is never blocked")
		}
	}
	t.Logf("blocked %v after it was decided", time.Since(begun).Round(100*time.Microsecond))
	s.want(200, worse)
	s.server.Stop()
	s.envoy.Stop()
	s.startEnvoy()
	s.want(403, bad)
	s.want(200, worse)
}

// Whose address counts is what wonted takes for the client's, too: no client
// gets another blocked, or away, by what it writes.
func TestTheBlockedAddressIsNotTheClientsToWrite(t *testing.T) {
	s := newScene(t)
	s.publish(badNet)
	s.startEnvoy()
	s.becomes(403, bad)
	s.want(403, good+", "+bad, "127.0.0.1,"+bad)
	s.want(200, bad+", "+good, bad+","+bad+","+good)

	direct := newScene(t, func(o *envoy.Options) { o.TrustedProxies = 0 }) // the peer, 127.0.0.1
	_, p := direct.publish(badNet)
	direct.startEnvoy()
	value(t, "Envoy is connected", p.metrics.proxies, 1)
	value(t, "the list is out", p.metrics.blocks, 1)
	stat := "extension_config_discovery.http_filter." + envoy.BlocksName + ".config_reload"
	envoytest.Eventually(t, "Envoy has the list", func() error {
		if n := envoytest.Stat(t, direct.envoy, stat); n < 1 {
			return fmt.Errorf("%s is %v", stat, n)
		}
		return nil
	})
	direct.want(200, bad, good)
}

// The longest list is taken, blocks all of it and nothing else.
func TestTheLongestList(t *testing.T) {
	s := newScene(t)
	l, p := s.publish()
	s.startEnvoy()
	value(t, "Envoy is connected", p.metrics.proxies, 1)
	texts := many(maxBlocks)
	begun := time.Now()
	l.set(texts...)
	for s.get(bad) == 200 {
		if time.Since(begun) > time.Minute {
			t.Fatal("it is never blocked")
		}
	}
	t.Logf("%d networks blocked after %v", len(texts), time.Since(begun).Round(100*time.Microsecond))
	s.want(403, "20.0.0.1", "20.1.2.3", "20.39.14.255")
	s.want(200, good, "20.39.15.0", "19.255.255.255")
	if n := read(t, p.metrics.rejections); n != 0 {
		t.Errorf("%v lists were rejected", n)
	}
}

// The deepest tree is not too deep for Envoy, whichever way it comes.
func TestADeepTree(t *testing.T) {
	var texts []string
	for at := range 12 { // bytes in which some differ and the others go on
		a := netip.MustParseAddr("2001:db8::").As16()
		for i := range few + 1 {
			a[4+at] = byte(1 + i)
			texts = append(texts, netip.AddrFrom16(a).String()+"/128")
		}
		a[4+at] = 0
	}
	f := func(s *scene, file string) {
		t.Helper()
		_, p := newPublisher(t, func(c *Config) { c.File = file }, texts...)
		s.serve(p)
		go p.Run(t.Context())
		value(t, "it is published", p.metrics.blocks, float64(len(texts)))
		s.startEnvoy()
		s.becomes(403, "2001:db8::1")
		s.want(403, "2001:db8::11", "2001:db8:100::", "2001:db8:0:0:0:1100::")
		s.want(200, "2001:db8::12", "2001:db8:12::", "2001:db8:1:1::", good)
		if n := read(t, p.metrics.rejections); n != 0 {
			t.Errorf("%v lists were rejected", n)
		}
	}
	f(newScene(t), "")
	file := filepath.Join(t.TempDir(), "blocks.json")
	f(newScene(t, func(o *envoy.Options) { o.BlocksFile = file }), file)
}

// many are badNet and others, of which 20.0.0.0 is the first.
func many(n int) []string {
	texts := []string{badNet}
	for i := range n - 1 {
		texts = append(texts, netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 0}), 24).String())
	}
	return texts
}

// BenchmarkEffect is the time from a decision to the first request that Envoy
// refuses by it, where a client asks over and over, by the length of the list.
func BenchmarkEffect(b *testing.B) {
	for _, n := range []int{1, 100, 1000, maxBlocks} {
		b.Run(fmt.Sprintf("blocks=%d", n), func(b *testing.B) {
			s := newScene(b)
			l, p := s.publish()
			s.startEnvoy()
			value(b, "Envoy is connected", p.metrics.proxies, 1)
			texts := many(n)
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				l.set(texts...)
				for s.get(bad) == 200 {
				}
				took = append(took, time.Since(begun))
				l.set(texts[1:]...)
				for s.get(bad) == 403 {
				}
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2].Seconds()*1000, "ms/p50")
			b.ReportMetric(took[len(took)-1].Seconds()*1000, "ms/max")
		})
	}
}
