package policy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/rego"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// shop is a Gate with all that is real behind it, where acme has lived for nine
// days: lists of ten records of 200 bytes, some a minute, office hours.
type shop struct {
	*policy.Gate
	now  time.Time
	last *policy.Report
	n    byte
}

func (s *shop) Report(r *policy.Report) { s.last = r }

func openShop(t *testing.T, source string, explain int) *shop {
	t.Helper()
	before, err := rego.Default()
	if err != nil {
		t.Fatal(err)
	}
	engine := before
	if source != "" {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "p.rego"), []byte("package wonted.policy\n\n"+source), 0o600); err != nil {
			t.Fatal(err)
		}
		engine, err = rego.Load(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	store := profile.New(profile.Config{Memory: 16 << 20})
	t.Cleanup(store.Close)
	s := &shop{now: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	s.Gate = policy.NewGate(policy.Config{
		Scorer: scoring.New(scoring.Config{Store: store}), Decider: before, Mode: policy.Enforce,
		Sink: s, Log: zerolog.Nop(), Explain: explain, Deadline: -1,
	})
	for range 9 {
		for hour := 9; hour < 17; hour++ {
			for i := range 12 {
				s.now = s.now.Truncate(24 * time.Hour).Add(time.Duration(hour)*time.Hour + time.Duration(i*20)*time.Second)
				s.get("desk", "/v1/orders?limit=10", -1, 10)
			}
		}
		s.now = s.now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	}
	s.now = s.now.Add(10 * time.Hour)
	s.SetDecider(engine)
	if s.last != nil {
		t.Fatalf("ordinary life is not plainly allowed: %+v", s.last)
	}
	return s
}

// get plays one exchange in the name of acme, whose response streams a record at
// a time, unless its size is declared.
func (s *shop) get(device, path string, declared int64, records int64) (passed bool) {
	c := &policy.Case{}
	ex := &c.Exchange
	s.n++
	ex.ID, ex.Time = scoring.ID{s.n}, s.now
	ex.Method, ex.Path = []byte("GET"), []byte(path)
	for _, k := range []profile.Kind{profile.KindCaller, profile.KindAddress} {
		ex.Entities[k] = scoring.Identity{Kind: k, Key: profile.Key{Hi: uint64(k), Lo: 7}, Name: []byte("acme")}
	}
	for i, k := range []profile.Kind{profile.KindDevice, profile.KindNetwork} {
		ex.Entities[k] = scoring.Identity{Kind: k, Key: profile.Key{Hi: uint64(i), Lo: uint64(10*len(device)+i) * 0x9E3779B97F4A7C15}}
	}
	ex.ResponseBytes, ex.Records = -1, -1
	if v := s.Open(c); !v.Pass {
		s.Close(c, scoring.Refused, s.now)
		return false
	}
	ex.Status, ex.ResponseBytes = 200, declared
	v := s.Answer(c, s.now)
	if !v.Pass {
		s.Close(c, scoring.Refused, s.now)
		return false
	}
	if v.Body {
		ex.ResponseBytes, ex.Records = 0, 0
		for range records {
			ex.ResponseBytes, ex.Records = ex.ResponseBytes+200, ex.Records+1
			if v := s.Meter(c, s.now); !v.Pass {
				s.Close(c, scoring.Truncated, s.now)
				return false
			}
		}
	}
	s.Close(c, scoring.Answered, s.now)
	return true
}

// Of every verdict that a number is due to it is said which number would have
// passed: that many do, and one more does not.
func TestWhatWouldHavePassed(t *testing.T) {
	f := func(what, source, unit, window string, send func(s *shop, n int64) bool, tooMany int64) {
		t.Helper()
		s := openShop(t, source, 10)
		if send(s, tooMany) {
			t.Fatalf("%s: %d pass", what, tooMany)
		}
		if s.last == nil || s.last.Passing == nil {
			t.Fatalf("%s: no explanation in %+v", what, s.last)
		}
		p := s.last.Passing
		if p.Unit != unit || p.Window != window || len(p.Without) > 0 || p.Never {
			t.Fatalf("%s: %+v, of %+v", what, p, s.last)
		}
		if !send(openShop(t, source, 10), p.AtMost) {
			t.Errorf("%s: %d %s do not pass", what, p.AtMost, p.Unit)
		}
		if send(openShop(t, source, 10), p.AtMost+1) {
			t.Errorf("%s: %d %s pass, one more than said", what, p.AtMost+1, p.Unit)
		}
		t.Logf("%s: at most %d %s (%s)", what, p.AtMost, p.Unit, s.last.Reason)
	}
	records := func(s *shop, n int64) bool { return s.get("desk", "/v1/orders?limit=10", -1, n) }
	bytes := func(s *shop, n int64) bool { return s.get("desk", "/v1/orders?limit=10", n, 0) }
	requests := func(s *shop, n int64) bool {
		for range n {
			if !s.get("desk", "/v1/orders?limit=10", 2000, 10) {
				return false
			}
		}
		return true
	}
	f("a dump", "", "records", "", records, 10_000)
	f("one whose size is declared", "", "bytes", "", bytes, 50_000_000)
	f("a burst", "", "requests", "1m", requests, 1000)
	f("a response budget", "response_budget contains {\"records\": 100}", "records", "", records, 500)
	f("one in bytes", "response_budget contains {\"bytes\": 7000}", "bytes", "", records2bytes, 100_000)
	f("a rule on records", `deny contains "many" if input.response.records > 57`, "records", "", records, 90)
	f("a rule on a score", `deny contains "odd" if input.anomalous`, "records", "", records, 10_000)
}

// records2bytes sends n bytes, 200 a record, as far as that goes.
func records2bytes(s *shop, n int64) bool {
	return s.get("desk", "/v1/orders?limit=10", n, 0)
}

func TestNoNumberWouldHavePassed(t *testing.T) {
	f := func(what, source string, device string, want policy.Passing) {
		t.Helper()
		s := openShop(t, source, 10)
		s.now = s.now.Add(16 * time.Hour) // two at night
		s.get(device, "/v1/orders?limit=10", -1, 10)
		if s.last == nil || s.last.Passing == nil {
			t.Fatalf("%s: no explanation in %+v", what, s.last)
		}
		if d := cmp.Diff(want, *s.last.Passing); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	f("a rule on a method", `deny contains "no" if input.request.method == "GET"`, "desk", policy.Passing{Without: []string{}, Never: true})
	f("a rule on a detector", `deny contains "no" if input.detectors.hour > 1`, "desk", policy.Passing{Without: []string{"hour"}})
	f("what comes together", `deny contains "no" if input.detectors.takeover > 1`, "another", policy.Passing{Without: []string{"takeover"}})
	f("either of two", "deny contains \"no\" if input.detectors.takeover > 1\n\ndeny contains \"neither\" if input.detectors.device > 1",
		"another", policy.Passing{Without: []string{"takeover", "device"}})
}

func TestExplanationsAreBounded(t *testing.T) {
	const rule = `deny contains "no" if input.request.method == "GET"`
	explained := func(s *shop) (n int) {
		for range 100 {
			s.get("desk", "/v1/orders", -1, 0)
			if s.last.Passing != nil {
				n++
			}
		}
		return n
	}
	if n := explained(openShop(t, rule, 0)); n != 0 {
		t.Errorf("%d explained where none is to be", n)
	}
	s := openShop(t, rule, 5)
	s.now = s.now.Add(time.Hour)
	if n := explained(s); n != 50 {
		t.Errorf("%d explained at once of 5 a second, want those of ten seconds", n)
	}
	s.now = s.now.Add(time.Second)
	if n := explained(s); n != 5 {
		t.Errorf("%d explained a second later, want 5", n)
	}
}

func TestPassingJSON(t *testing.T) {
	f := func(p policy.Passing, want string) {
		t.Helper()
		if got, err := json.Marshal(p); err != nil || string(got) != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
	f(policy.Passing{AtMost: 214, Unit: "records", Without: []string{}}, `{"at_most":214,"unit":"records","window":"","without":[],"never":false}`)
	f(policy.Passing{Without: []string{"takeover"}}, `{"at_most":0,"unit":"","window":"","without":["takeover"],"never":false}`)
}

// What has panicked while it was explained is refused all the same.
func TestExplanationThatPanics(t *testing.T) {
	s := openShop(t, "", 10)
	s.SetDecider(&moody{})
	s.now = s.now.Add(16 * time.Hour)
	if s.get("another", "/v1/orders", -1, 0) || s.last == nil || s.last.Passing != nil {
		t.Errorf("reported as %+v", s.last)
	}
}

// moody decides once.
type moody struct{ asked int }

func (m *moody) Reads(policy.Phase) bool { return false }

func (m *moody) Decide(_ context.Context, _ *policy.Input) (*policy.Decision, error) {
	if m.asked++; m.asked > 1 {
		panic(fmt.Sprint("asked ", m.asked, " times"))
	}
	return &policy.Decision{Action: policy.Deny, Reason: "no"}, nil
}
