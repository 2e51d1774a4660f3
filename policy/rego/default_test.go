package rego

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// answers is what the default policy does about each detector's evidence.
var answers = map[scoring.Detector]policy.Action{
	scoring.Takeover: policy.Challenge,
	scoring.Device:   policy.Challenge,
	scoring.Network:  policy.Challenge,
	scoring.Country:  policy.Challenge,
	scoring.Hour:     policy.Challenge,
	scoring.Switches: policy.Challenge,
	scoring.Replay:   policy.Challenge,
	scoring.Usage:    policy.Challenge,
	scoring.Sequence: policy.Challenge,
	scoring.Method:   policy.Challenge,
	scoring.Version:  policy.Challenge,
	scoring.Stuffing: policy.Challenge,

	scoring.Rate:        policy.Throttle,
	scoring.Volume:      policy.Throttle,
	scoring.Bulk:        policy.Throttle,
	scoring.Drift:       policy.Throttle,
	scoring.Slow:        policy.Throttle,
	scoring.NewObjects:  policy.Throttle,
	scoring.Companion:   policy.Throttle,
	scoring.Enumeration: policy.Throttle,
	scoring.Recon:       policy.Throttle,
	scoring.Errors:      policy.Throttle,
}

type scores = map[scoring.Detector]float64

// asked asks e about an exchange.
func asked(t *testing.T, e *Engine) func(what string, ex *scoring.Exchange, want policy.Action) {
	return func(what string, ex *scoring.Exchange, want policy.Action) {
		t.Helper()
		if d := decide(t, e, at(ex, policy.PhaseRequest)); d.Action != want {
			t.Errorf("%s: %v (%q), want %v", what, d.Action, d.Reason, want)
		}
	}
}

// together is an anomaly of what no detector alone would call one.
func together(s scores) *scoring.Exchange {
	ex := odd(sample(), s)
	ex.Assessment.Score, ex.Assessment.Anomalous = 5, true
	return ex
}

func TestDefaultAnswersEveryDetector(t *testing.T) {
	e, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	everyDetector(t, e)
}

func everyDetector(t *testing.T, e *Engine) {
	t.Helper()
	f := asked(t, e)
	for d := range scoring.Detectors {
		d := scoring.Detector(d)
		want, ok := answers[d]
		if !ok {
			t.Errorf("%v: what is done about it?", d)
		}
		f(d.String()+" alone", odd(sample(), scores{d: 5}), want)
		f(d.String()+" below the threshold", odd(sample(), scores{d: 3.9}), policy.Allow)
		others := scores{}
		for d := range scoring.Detectors {
			others[scoring.Detector(d)] = 1
		}
		others[d] = 3
		f(d.String()+" before many small ones", together(others), want)
	}
	f("nothing worth telling of", together(nil), policy.Throttle)
}

func TestDefaultPolicy(t *testing.T) {
	e, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	f := asked(t, e)
	f("ordinary", sample(), policy.Allow)
	f("just below", odd(sample(), scores{scoring.Takeover: 3.9, scoring.Rate: 3.9}), policy.Allow)
	f("take-over", odd(sample(), scores{scoring.Takeover: 4, scoring.Rate: 1}), policy.Challenge)
	f("hardly a take-over", odd(sample(), scores{scoring.Rate: 6, scoring.Takeover: 3}), policy.Throttle)
	f("both", odd(sample(), scores{scoring.Takeover: 4, scoring.Rate: 12}), policy.Challenge)
}

func TestDefaultRefusesAContestedCredential(t *testing.T) {
	e, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	ex := sample()
	ex.Contested = true
	d := decide(t, e, at(ex, policy.PhaseRequest))
	if d.Action != policy.Deny || d.HTTPStatus() != 400 {
		t.Errorf("%v with status %d", d.Action, d.HTTPStatus())
	}
}

// Who is mature is settled where the budget is bound: the caller may be new
// while its session is not.
func TestDefaultBudgetIsForEverybody(t *testing.T) {
	e, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	ex := sample()
	for _, mature := range []bool{true, false} {
		ex.Assessment.Mature = mature
		if d := decide(t, e, at(ex, policy.PhaseRequest)); d.Budget != (policy.Budget{Usual: 1}) {
			t.Errorf("mature %v: budget %+v", mature, d.Budget)
		}
	}
}

func TestDefaultIsCheap(t *testing.T) {
	e, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	// What it reads is what is built. Neither body nor response makes it be
	// asked again.
	want := []string{"input.anomalous", "input.detectors", "input.identity.contested", "input.strongest", "input.threshold"}
	if diff := cmp.Diff(want, e.Inputs()); diff != "" {
		t.Error(diff)
	}
	if !e.Reads(policy.PhaseRequest) || e.Reads(policy.PhaseResponse) || e.Reads(policy.PhaseBody) {
		t.Error("phases")
	}
	if w := e.Warnings(); len(w) > 0 {
		t.Errorf("warnings: %v", w)
	}
}
