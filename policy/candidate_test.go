package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// combined is a decider whose policy says this.
func combined(r Rules) *decider { return &decider{at: map[Phase]*Decision{PhaseRequest: r.Combine()}} }

func aRule(id string, stage Stage) Rule { return Rule{ID: id, Reason: "for " + id, Stage: stage} }

// The severest rule that is in force decides; the others are told of.
func TestOnlyRulesInForceCount(t *testing.T) {
	b := newBench(combined(Rules{
		Deny:      []Rule{aRule("exports", Stage{Shadow: true})},
		Challenge: []Rule{aRule("takeover", Stage{Cohorts: []string{"batch"}})},
		Throttle:  []Rule{{ID: "rate", Reason: "too fast", Status: 503}, aRule("bulk", Stage{})},
	}), nil)
	c := request()
	c.Exchange.Assessment.Cohort = "person"
	if v := b.Open(c); v.Action != Throttle || v.Status != 503 || v.Reason != "for bulk; too fast" || v.Pass || v.Class != "rate" {
		t.Errorf("%+v", v)
	}
	b.Close(c, scoring.Refused, at)
	r := b.reports[0]
	if diff := cmp.Diff([]string{"bulk", "rate"}, r.Rules); diff != "" {
		t.Error(diff)
	}
	got, _ := json.Marshal(r.Shadow)
	want := `[{"rule":"exports","action":"deny","reason":"for exports","why":"shadow"},` +
		`{"rule":"takeover","action":"challenge","reason":"for takeover","why":"rollout"}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	f := func(rule, action, effect string) {
		t.Helper()
		if n := b.value(t, "wonted_rule_verdicts_total", "rule", rule, "action", action, "mode", "enforce", "effect", effect); n != 1 {
			t.Errorf("%s: %v", rule, n)
		}
	}
	f("exports", "deny", "shadow")
	f("takeover", "challenge", "rollout")
	f("rate", "throttle", "in_force")
}

// Where no rule is in force the exchange passes, and is reported all the same.
func TestAShadowVerdictIsReported(t *testing.T) {
	b := newBench(combined(Rules{Deny: []Rule{aRule("exports", Stage{Withheld: 100})}}), nil)
	c := request()
	if v := b.Open(c); v.Action != Allow || !v.Pass || v.Reason != "" {
		t.Errorf("%+v", v)
	}
	b.Close(c, scoring.Answered, at)
	if len(b.reports) != 1 || len(b.reports[0].Shadow) != 1 || b.reports[0].Action != "allow" || b.reports[0].Rules != nil {
		t.Errorf("%+v", b.reports)
	}
}

// The operator's word beats the policy's, at once, in what it says.
func TestSettingsOfRules(t *testing.T) {
	enforce, shadow := Enforce, Shadow
	none := 0.0
	b := newBench(combined(Rules{Deny: []Rule{aRule("exports", Stage{Shadow: true})}}), func(c *Config) {
		c.Rules = RuleSettings{{Rule: "exports", Mode: &enforce}}
	})
	f := func(want Action, s ...RuleSetting) {
		t.Helper()
		if s != nil {
			b.SetRules(s)
		}
		c := request()
		c.Exchange.Assessment.Cohort = "person"
		if v := b.Open(c); v.Action != want {
			t.Errorf("%+v: %v, want %v", s, v.Action, want)
		}
	}
	f(Deny)
	f(Allow, RuleSetting{Rule: "exports", Mode: &shadow})
	f(Allow, RuleSetting{Rule: "another", Mode: &enforce})
	f(Allow, RuleSetting{Rule: "exports", Mode: &enforce, Rollout: &none})
	f(Allow, RuleSetting{Rule: "exports", Mode: &enforce, Cohorts: []string{"batch"}})
	f(Deny, RuleSetting{Rule: "exports", Mode: &enforce, Cohorts: []string{"batch", "person"}})
}

// A response budget is a rule, too.
func TestABudgetCanBeInShadow(t *testing.T) {
	shadow := Shadow
	b := newBench(saying(Decision{Action: Allow, Budget: Budget{Records: 10}}), func(c *Config) {
		c.Rules = RuleSettings{{Rule: BudgetRule, Mode: &shadow}}
	})
	c := request()
	b.Open(c)
	respond(c, 200, -1)
	b.Answer(c, at)
	c.Exchange.Records = 11
	if v := b.Meter(c, at); !v.Pass || v.Action != Allow {
		t.Errorf("%+v", v)
	}
	c.Exchange.Records = 12
	b.Meter(c, at)
	b.Close(c, scoring.Answered, at)
	if got := b.reports[0].Shadow; len(got) != 1 || got[0].Rule != BudgetRule || got[0].Action != "deny" || got[0].Why != "shadow" {
		t.Errorf("%+v", got)
	}
}

// Nobody who is excepted gets into quarantine by a rule.
func TestAQuarantineCanBeExcepted(t *testing.T) {
	e := &excepted{rule: QuarantineRule}
	b := newBench(saying(Decision{Action: Allow, Quarantine: []Quarantine{{Entity: "session", TTL: time.Hour}}}), func(c *Config) { c.Exceptions = e })
	c := request()
	b.Open(c)
	b.Close(c, scoring.Answered, at)
	want := []Shadowed{{Rule: "quarantine", Action: "quarantine", Reason: "quarantine of the session", Why: "exception", By: "x-1"}}
	if diff := cmp.Diff(want, b.reports[0].Shadow); diff != "" {
		t.Error(diff)
	}
	if len(e.hits) != 1 || len(b.reports[0].Quarantine) > 0 {
		t.Errorf("hits %v, quarantine %+v", e.hits, b.reports[0].Quarantine)
	}
}

// A policy that calls its rules by what a client sends fills no memory.
func TestRulesAreBounded(t *testing.T) {
	b := newRulebook(nil)
	for i := range 3 * maxRules {
		b.rule(fmt.Sprint("rule ", i))
	}
	if n := len(*b.known.Load()); n != maxRules+1 || b.rule("one more") != b.rule("and another") || b.rule("one more").id != otherRule {
		t.Errorf("%d rules", n)
	}
	if b.rule("rule 3").id != "rule 3" {
		t.Error("one that was known is forgotten")
	}
}

func aCaller(n uint64) *scoring.Exchange {
	ex := &scoring.Exchange{}
	ex.Entities[profile.KindCaller] = scoring.Identity{Kind: profile.KindCaller, Key: profile.Key{Hi: n * 0x9e3779b97f4a7c15, Lo: n}}
	return ex
}

// A rollout takes its share of identities, keeps whom it has, and draws anew for
// each rule.
func TestRollout(t *testing.T) {
	const callers = 10_000
	in := func(rule string, percent float64) map[uint64]bool {
		all := map[uint64]bool{}
		for n := range uint64(callers) {
			s := Stage{Withheld: 100 - percent}
			if s.covers(rule, aCaller(n)) {
				all[n] = true
			}
		}
		return all
	}
	before := in("exports", 0)
	if len(before) != 0 {
		t.Errorf("%d of 0 %%", len(before))
	}
	for _, percent := range []float64{1, 5, 25, 60, 100} {
		now := in("exports", percent)
		// 5 standard deviations are at the most 2.5 % of 10,000.
		if share := 100 * float64(len(now)) / callers; share < percent-2.5 || share > percent+2.5 || percent == 100 && share != 100 {
			t.Errorf("%v %% are %v %%", percent, share)
		}
		for n := range before {
			if !now[n] {
				t.Fatalf("%d was in and is out at %v %%", n, percent)
			}
		}
		before = now
	}
	both := 0
	one, other := in("exports", 25), in("takeover", 25)
	for n := range one {
		if other[n] {
			both++
		}
	}
	if both < callers*4/100 || both > callers*9/100 { // 6.25 % where rules draw apart
		t.Errorf("%d of %d and %d are in both", both, len(one), len(other))
	}
}

// The plain meaning of candidates, against which the Gate is held.
func modelled(r Rules, settings RuleSettings, ex *scoring.Exchange) (a Action, reason string) {
	in := func(all []Rule) (reasons []string) {
		for _, x := range all {
			stage := x.Stage
			for _, s := range settings {
				if s.Rule == x.ID {
					stage = s.over(stage)
				}
			}
			if !stage.Shadow && stage.covers(x.ID, ex) && !slices.Contains(reasons, x.Reason) {
				reasons = append(reasons, x.Reason)
			}
		}
		slices.Sort(reasons)
		return reasons
	}
	for _, level := range []struct {
		Action
		rules []Rule
	}{{Deny, r.Deny}, {Challenge, r.Challenge}, {Throttle, r.Throttle}} {
		if reasons := in(level.rules); len(reasons) > 0 {
			return level.Action, strings.Join(reasons, "; ")
		}
	}
	return Allow, ""
}

func TestTheGateChoosesAsModelled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stage := rapid.Custom(func(t *rapid.T) Stage {
			return Stage{
				Shadow:   rapid.IntRange(0, 3).Draw(t, "shadow") == 0,
				Withheld: float64(rapid.SampledFrom([]int{0, 0, 50, 100}).Draw(t, "withheld")),
				Cohorts:  rapid.SampledFrom([][]string{nil, nil, {"person"}, {"batch", "person"}, {"batch"}}).Draw(t, "cohorts"),
			}
		})
		rules := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Rule {
			return aRule(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "id"), stage.Draw(t, "stage"))
		}), 0, 4)
		r := Rules{Deny: rules.Draw(t, "deny"), Challenge: rules.Draw(t, "challenge"), Throttle: rules.Draw(t, "throttle")}
		var settings RuleSettings
		for _, id := range []string{"a", "c"} {
			if !rapid.Bool().Draw(t, "set "+id) {
				continue
			}
			mode := rapid.SampledFrom([]*Mode{nil, new(Mode), ptr(Enforce)}).Draw(t, "mode")
			share := rapid.SampledFrom([]*float64{nil, ptr(0.0), ptr(50.0), ptr(100.0)}).Draw(t, "rollout")
			settings = append(settings, RuleSetting{Rule: id, Mode: mode, Rollout: share})
		}
		b := newBench(combined(r), func(c *Config) { c.Rules = settings })
		c := request()
		c.Exchange.Assessment.Cohort = rapid.SampledFrom([]string{"person", "batch", "new", ""}).Draw(t, "cohort")
		c.Exchange.Entities[profile.KindCaller].Key = profile.Key{Hi: rapid.Uint64().Draw(t, "hi"), Lo: rapid.Uint64().Draw(t, "lo")}
		action, reason := modelled(r, settings, &c.Exchange)
		if v := b.Open(c); v.Action != action || v.Reason != reason {
			t.Fatalf("%v %q, want %v %q", v.Action, v.Reason, action, reason)
		}
	})
}

func ptr[T any](v T) *T { return &v }

// What rules want that are not in force costs no memory on the way.
func TestCandidatesThatAreNotInForceAllocateNothing(t *testing.T) {
	d := (&Rules{Deny: []Rule{aRule("exports", Stage{Shadow: true}), aRule("other", Stage{Withheld: 100})}}).Combine()
	g := NewGate(Config{Scorer: plain{}, Decider: plain{}, Mode: Enforce, Log: zerolog.Nop()})
	c := request()
	n := testing.AllocsPerRun(1000, func() {
		c.judgement = judgement{heard: c.heard[:0], force: c.force[:0], settled: c.settled}
		if got := g.settle(c, d, at); got.Action != Allow {
			t.Fatal(got.Action)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// excepted lifts one rule.
type excepted struct {
	rule string
	hits []string
}

func (e *excepted) Excepted(_ *scoring.Exchange, rule string) (string, bool) {
	return "x-1", rule == e.rule
}
func (e *excepted) Hit(id string, _ time.Time) { e.hits = append(e.hits, id) }

// An exception lifts what its rule wants, is told of, and counted once an
// exchange however often the policy is asked.
func TestExceptionsWinOverRules(t *testing.T) {
	e := &excepted{rule: "exports"}
	d := combined(Rules{Deny: []Rule{aRule("exports", Stage{})}, Throttle: []Rule{aRule("rate", Stage{})}})
	d.reads = map[Phase]bool{PhaseResponse: true}
	b := newBench(d, func(c *Config) { c.Exceptions = e })
	c := request()
	if v := b.Open(c); v.Action != Throttle {
		t.Errorf("%+v", v)
	}
	respond(c, 200, 10)
	b.Answer(c, at)
	b.Close(c, scoring.Answered, at)
	if len(e.hits) != 1 {
		t.Errorf("hits %v", e.hits)
	}
	want := []Shadowed{{Rule: "exports", Action: "deny", Reason: "for exports", Why: "exception", By: "x-1"}}
	if diff := cmp.Diff(want, b.reports[0].Shadow); diff != "" {
		t.Error(diff)
	}
	// Of a rule in shadow nothing is to be lifted.
	b.SetRules(RuleSettings{{Rule: "exports", Mode: ptr(Shadow)}})
	c.Reset()
	c.Exchange.ID = scoring.ID{1}
	b.Open(c)
	b.Close(c, scoring.Answered, at)
	if len(e.hits) != 1 {
		t.Errorf("hits %v", e.hits)
	}
}
