package rego

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

func TestDefaultPolicy(t *testing.T) {
	e, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	f := func(what string, scores map[scoring.Detector]float64, want policy.Action) {
		t.Helper()
		if d := decide(t, e, at(odd(sample(), scores), policy.PhaseRequest)); d.Action != want {
			t.Errorf("%s: %v (%s), want %v", what, d.Action, d.Reason, want)
		}
	}
	type s = map[scoring.Detector]float64
	f("ordinary", nil, policy.Allow)
	f("just below", s{scoring.Takeover: 3.9, scoring.Rate: 3.9}, policy.Allow)
	f("take-over", s{scoring.Takeover: 4, scoring.Rate: 1}, policy.Challenge)
	f("device", s{scoring.Device: 5}, policy.Challenge)
	f("network", s{scoring.Network: 5}, policy.Challenge)
	f("hour", s{scoring.Hour: 5}, policy.Challenge)
	f("rate", s{scoring.Rate: 6, scoring.Takeover: 3}, policy.Throttle)
	f("walking ids", s{scoring.NewObjects: 6}, policy.Throttle)
	f("companions", s{scoring.Companion: 6}, policy.Throttle)
	f("both", s{scoring.Takeover: 4, scoring.Rate: 12}, policy.Challenge)
	f("a stolen list", s{scoring.Stuffing: 5}, policy.Challenge)
	f("a stolen list, not enough", s{scoring.Stuffing: 3.9}, policy.Allow)
	f("paging", s{scoring.Volume: 5}, policy.Throttle)
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
	want := []string{"input.anomalous", "input.detectors", "input.identity.contested", "input.threshold"}
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
