package envoy_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// The tests of this file change wonted while requests run, 500 a second, and
// want that none of them fails. Each does so a few times, or for as long as
// CHANGE says, with a million profiles where their number matters:
//
//	make change CHANGE=30s
const rate = 500

// changing is how long each change is made again and again; 0: a few times.
func changing(t testing.TB) time.Duration {
	t.Helper()
	length, err := time.ParseDuration(cmp.Or(os.Getenv("CHANGE"), "0s"))
	if err != nil || length < 0 || length > time.Hour {
		t.Fatalf("CHANGE=%s: a duration of at most 1h", os.Getenv("CHANGE"))
	}
	return length
}

// during makes a change times at least, with requests before, between and
// after, and wants that none of them fails. The change is told which it is,
// from 1.
func (s *scene) during(what string, times int, change func(traffic *envoytest.Traffic, n int)) {
	s.Helper()
	start, length := time.Now(), changing(s)
	traffic := envoytest.StartTraffic(s.envoy.URL(), rate)
	traffic.GoesOn(s, 50)
	n := 0
	for n < times || time.Since(start) < length {
		n++
		change(traffic, n)
		traffic.GoesOn(s, 50)
	}
	traffic.End(s, fmt.Sprintf("%s, %d times", what, n))
}

func failOpen(o *envoy.Options) { o.FailOpen = true }

// kept are settings with which profiles outlive the process. A decision may
// take its time: a starved machine is no failure.
func kept(t testing.TB, s envoytest.Settings) envoytest.Settings {
	t.Helper()
	s.More += "data_dir: " + t.TempDir() + "\nsnapshot_every: 100ms\nprofile: {memory: 64MiB}\ndecision_deadline: 10s\n"
	return s
}

// waitsFor waits until wonted has logged a message so many times.
func (s *scene) waitsFor(message string, times int) {
	s.Helper()
	envoytest.Eventually(s, fmt.Sprintf("wonted says %q", message), func() error {
		if n := s.says(message); n < times {
			return fmt.Errorf("%d times of %d", n, times)
		}
		return nil
	})
}

func (s *scene) says(message string) (n int) {
	for _, line := range s.wonted.Log() {
		if text, _ := line["message"].(string); strings.Contains(text, message) {
			n++
		}
	}
	return n
}

func TestNoRequestFailsWhileThePolicyChanges(t *testing.T) {
	version := func(n int) string {
		return rego(fmt.Sprintf(`response_headers contains {"name": "x-policy", "value": "%d"}`, n))
	}
	s := set(t, kept(t, envoytest.Settings{Fail: "closed", Policy: version(0)}))
	s.during("another policy", 10, func(_ *envoytest.Traffic, n int) {
		s.wonted.WritePolicy(t, version(n))
		s.waitsFor("a changed policy is in force", n)
	})
	s.reloaded()
}

func TestNoRequestFailsWhileTheConfigurationChanges(t *testing.T) {
	s := set(t, kept(t, envoytest.Settings{Fail: "closed", Policy: permissive}))
	config, err := os.ReadFile(s.wonted.Config)
	if err != nil {
		t.Fatal(err)
	}
	s.during("SIGHUP with another budget and mode", 10, func(_ *envoytest.Traffic, n int) {
		mode := []string{"shadow", "enforce"}[n%2]
		changed := strings.Replace(string(config), "mode: enforce", "mode: "+mode, 1) + fmt.Sprintf("budget: {max_alerts_per_day: %d}\n", 10+n)
		if err := os.WriteFile(s.wonted.Config, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		s.wonted.Reload(t)
		s.waitsFor("configuration reloaded", n)
	})
	s.reloaded()
}

func (s *scene) reloaded() {
	s.Helper()
	if n := s.metric("wonted_reload_failures_total"); n != 0 {
		s.Errorf("%v reloads have failed", n)
	}
	s.undisturbed()
}

func TestNoRequestFailsWhenWontedIsToldToGo(t *testing.T) {
	s := set(t, kept(t, envoytest.Settings{Policy: permissive}), failOpen)
	s.during("restart by SIGTERM, fail open", 3, func(traffic *envoytest.Traffic, n int) {
		traffic.GoesOn(t, 150)
		before, _ := s.wonted.Profile(t, "key-0")
		s.wonted.Terminate()
		traffic.GoesOn(t, 50) // without it
		s.wonted.Start(t)
		if after, _ := s.wonted.Profile(t, "key-0"); after.Accepted < before.Accepted || before.Accepted == 0 {
			t.Errorf("restart %d: %d requests of a caller were known before, %d are after", n, before.Accepted, after.Accepted)
		}
	})
}

func TestNoRequestFailsAndNoneIsUnjudgedWhenASuccessorTakesOver(t *testing.T) {
	// Fail closed: a request that met nobody would be a 500.
	s := set(t, kept(t, envoytest.Settings{Fail: "closed", Policy: permissive}))
	s.during("take-over by a successor, fail closed", 5, func(traffic *envoytest.Traffic, n int) {
		before, pid := s.wonted.Metric(t, "wonted_exchanges_total"), s.wonted.PID()
		s.wonted.TakeOver(t)
		traffic.GoesOn(t, 150)
		if s.wonted.PID() == pid || s.wonted.Metric(t, "wonted_exchanges_total") == 0 || before == 0 {
			t.Errorf("take-over %d: the successor judges nothing", n)
		}
		if p, _ := s.wonted.Profile(t, "key-0"); p.Accepted < n*10 {
			t.Errorf("take-over %d: %d requests of a caller are known", n, p.Accepted)
		}
	})
	s.undisturbed()
}

// A caller's profile is read, and two snapshots later wonted is killed: the
// second was begun after the reading, and must bring back all of it. So at most
// what came in one interval is lost.
func TestNoRequestFailsWhenWontedIsKilledTwentyTimes(t *testing.T) {
	s := set(t, kept(t, envoytest.Settings{Policy: permissive}), failOpen)
	last, lives := 0, 0
	s.during("kill -9, fail open", 20, func(traffic *envoytest.Traffic, n int) {
		envoytest.Eventually(t, "the caller is known", func() error {
			if p, _ := s.wonted.Profile(t, "key-0"); p.Accepted <= last {
				return fmt.Errorf("%d requests", p.Accepted)
			}
			return nil
		})
		before, _ := s.wonted.Profile(t, "key-0")
		s.snapshot()
		s.snapshot()
		s.wonted.Kill()
		traffic.GoesOn(t, 20) // without it
		s.wonted.Start(t)
		after, _ := s.wonted.Profile(t, "key-0")
		if last, lives = after.Accepted, n; last < before.Accepted {
			t.Errorf("kill %d: a snapshot had %d requests of a caller, %d came back", n, before.Accepted, last)
		}
	})
	if last < 2*lives {
		t.Errorf("after %d lives only %d requests of a caller are known", lives, last)
	}
	if n := s.says("set aside"); n != 0 {
		t.Errorf("%d snapshots could not be used", n)
	}
}

// snapshot waits until one has been made.
func (s *scene) snapshot() {
	s.Helper()
	saved := func() float64 { return s.metric("wonted_snapshot_last_success_timestamp_seconds") }
	at := saved()
	envoytest.Eventually(s, "a snapshot", func() error {
		if saved() == at {
			return errors.New("not yet")
		}
		return nil
	})
}
