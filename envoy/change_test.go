package envoy_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file change wonted while requests run, and want that none
// of them fails.

// rate is that of the traffic, in requests a second.
const rate = 500

func failOpen(o *envoy.Options) { o.FailOpen = true }

// kept are settings with which profiles outlive the process.
func kept(t testing.TB, s envoytest.Settings) envoytest.Settings {
	t.Helper()
	s.More += "data_dir: " + t.TempDir() + "\nsnapshot_every: 100ms\nprofile: {memory: 64MiB}\n"
	return s
}

// says counts what wonted has logged.
func (s *scene) says(message string) (n int) {
	for _, line := range s.wonted.Log() {
		if text, _ := line["message"].(string); strings.Contains(text, message) {
			n++
		}
	}
	return n
}

func (s *scene) waitsFor(message string, times int) {
	s.Helper()
	envoytest.Eventually(s, fmt.Sprintf("wonted says %q", message), func() error {
		if n := s.says(message); n < times {
			return fmt.Errorf("%d times of %d", n, times)
		}
		return nil
	})
}

func TestNoRequestFailsWhilePolicyAndConfigurationChange(t *testing.T) {
	version := func(n int) string {
		return rego(fmt.Sprintf(`response_headers contains {"name": "x-policy", "value": "%d"}`, n))
	}
	s := set(t, kept(t, envoytest.Settings{Fail: "closed", Policy: version(0)}))
	l := s.steady(rate)
	for n := 1; n <= 10; n++ {
		s.wonted.WritePolicy(t, version(n))
		s.waitsFor("a changed policy is in force", n)
		l.goesOn(50)
	}
	config, err := os.ReadFile(s.wonted.Config)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 10; n++ { // the budget is another, and the mode is back and forth
		mode := []string{"shadow", "enforce"}[n%2]
		changed := strings.Replace(string(config), "mode: enforce", "mode: "+mode, 1) + fmt.Sprintf("budget: {max_alerts_per_day: %d}\n", 10+n)
		if err := os.WriteFile(s.wonted.Config, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		s.wonted.Reload(t)
		s.waitsFor("configuration reloaded", n)
		l.goesOn(50)
	}
	l.noneFailed(t, "ten policies and ten configurations")
	if n := s.metric("wonted_reload_failures_total"); n != 0 {
		t.Errorf("%v reloads have failed", n)
	}
	s.undisturbed()
}

func TestNoRequestFailsWhenWontedIsToldToGo(t *testing.T) {
	s := set(t, kept(t, envoytest.Settings{Policy: permissive}), failOpen)
	l := s.steady(rate)
	for range 3 {
		l.goesOn(200)
		before, _ := s.wonted.Profile(t, "key-0")
		s.wonted.Terminate()
		l.goesOn(50) // without it
		s.wonted.Start(t)
		if after, _ := s.wonted.Profile(t, "key-0"); after.Accepted < before.Accepted || before.Accepted == 0 {
			t.Errorf("%d requests of a caller were known before, %d are after", before.Accepted, after.Accepted)
		}
	}
	l.noneFailed(t, "three restarts by SIGTERM, fail open")
}

func TestNoRequestFailsAndNoneIsUnjudgedWhenASuccessorTakesOver(t *testing.T) {
	// Fail closed: a request that met nobody would be a 500.
	s := set(t, kept(t, envoytest.Settings{Fail: "closed", Policy: permissive}))
	l := s.steady(rate)
	for n := range 5 {
		l.goesOn(100)
		before, pid := s.wonted.Metric(t, "wonted_exchanges_total"), s.wonted.PID()
		s.wonted.TakeOver(t)
		l.goesOn(100)
		if s.wonted.PID() == pid || s.wonted.Metric(t, "wonted_exchanges_total") == 0 || before == 0 {
			t.Errorf("change %d: the successor judges nothing", n+1)
		}
		if p, _ := s.wonted.Profile(t, "key-0"); p.Accepted < (n+1)*10 {
			t.Errorf("change %d: %d requests of a caller are known", n+1, p.Accepted)
		}
	}
	l.noneFailed(t, "five take-overs, fail closed")
	s.undisturbed()
}

// A caller's profile is read twice with two snapshots between: the second was
// begun after the first reading, and must bring back all of it.
func TestNoRequestFailsWhenWontedIsKilledTwentyTimes(t *testing.T) {
	const times = 20
	s := set(t, kept(t, envoytest.Settings{Policy: permissive}), failOpen)
	l := s.steady(rate)
	saved := func() float64 { return s.metric("wonted_snapshot_last_success_timestamp_seconds") }
	last := 0
	for n := range times {
		l.goesOn(20)
		envoytest.Eventually(t, "the caller is known", func() error {
			if p, _ := s.wonted.Profile(t, "key-0"); p.Accepted <= last {
				return fmt.Errorf("%d requests", p.Accepted)
			}
			return nil
		})
		before, _ := s.wonted.Profile(t, "key-0")
		for range 2 {
			at := saved()
			envoytest.Eventually(t, "a snapshot", func() error {
				if saved() == at {
					return errors.New("not yet")
				}
				return nil
			})
		}
		s.wonted.Kill()
		l.goesOn(20) // without it
		s.wonted.Start(t)
		after, _ := s.wonted.Profile(t, "key-0")
		if last = after.Accepted; last < before.Accepted {
			t.Errorf("kill %d: a snapshot had %d requests of a caller, %d came back", n+1, before.Accepted, last)
		}
	}
	l.noneFailed(t, "twenty times kill -9, fail open")
	if last < 2*times {
		t.Errorf("after %d lives only %d requests of a caller are known", times, last)
	}
	if n := s.says("set aside"); n != 0 {
		t.Errorf("%d snapshots could not be used", n)
	}
}
