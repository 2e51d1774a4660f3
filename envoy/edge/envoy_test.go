package edge

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
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
	texts := []string{badNet}
	for i := range maxBlocks - 1 {
		texts = append(texts, netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 0}), 24).String())
	}
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
