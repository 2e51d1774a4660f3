package bench

import (
	"math"
	"testing"
)

// Every target speaks of a cell and a variant of the full plan: one that is
// misspelt would never be measured, and never missed.
func TestTargetsAreOfTheFullPlan(t *testing.T) {
	plan := Full()
	plan.Program = "wonted"
	plan.Peers = []Peer{{Kind: "opa", Command: "opa-envoy-plugin"}}
	if err := plan.validate(); err != nil {
		t.Fatal(err)
	}
	variants := map[string]map[string]bool{}
	for _, p := range plan.Points {
		variants[p.Name] = map[string]bool{}
		for _, v := range p.Variants {
			variants[p.Name][v] = true
		}
	}
	if len(targets) < 20 {
		t.Errorf("only %d targets", len(targets))
	}
	for _, target := range targets {
		cell := variants[target.cell]
		if !cell[target.variant] {
			t.Errorf("%s: the full plan has no %s in cell %s", target.says, target.variant, target.cell)
		}
		ref := target.reference
		if ref.variant != "" && !cell[ref.variant] {
			t.Errorf("%s: the full plan has no %s in cell %s", target.says, ref.variant, target.cell)
		}
		if ref.aboveBare && !cell[Bare] {
			t.Errorf("%s: the full plan has no bare in cell %s", target.says, target.cell)
		}
		if ref.cell != "" && !variants[ref.cell][target.variant] {
			t.Errorf("%s: the full plan has no %s in cell %s", target.says, target.variant, ref.cell)
		}
		if (target.atMost > 0) == (target.atLeast > 0) && target.measure.name != failed.name {
			t.Errorf("%s, %s: limits %v and %v", target.says, target.what(), target.atMost, target.atLeast)
		}
	}
}

func TestVerdicts(t *testing.T) {
	f := func(target target, e Estimate, met bool, limit, outcome string) {
		t.Helper()
		v := target.verdict(e)
		if v.Met != met || v.Limit != limit || v.Outcome() != outcome {
			t.Errorf("%v of %s: met %v, %q, want %v, %s, %q", e, v.Limit, v.Met, v.Outcome(), met, limit, outcome)
		}
	}
	cpu := target{measure: processorCPU, reference: toNoop, atMost: 0.5, stretch: 0.4}
	f(cpu, Estimate{0.4, 0.35, 0.45, 5}, true, "≤ 0.50 (0.40)", "met by 20%")
	f(cpu, Estimate{0.5, 0.4, 0.6, 5}, true, "≤ 0.50 (0.40)", "met by 0.0%, unsure")
	f(cpu, Estimate{0.6, 0.55, 0.65, 5}, false, "≤ 0.50 (0.40)", "MISSED by 20%")
	f(cpu, Estimate{0.6, 0.45, 0.75, 5}, false, "≤ 0.50 (0.40)", "MISSED by 20%, unsure")
	f(cpu, sure(0.6, 2), false, "≤ 0.50 (0.40)", "MISSED by 20%")
	f(cpu, unknown, false, "≤ 0.50 (0.40)", "not measured")
	rate := target{measure: perSecond, reference: toNoop, atLeast: 2}
	f(rate, Estimate{2.2, 2.1, 2.3, 5}, true, "≥ 2.00", "met by 10%")
	f(rate, Estimate{1.8, 1.7, 1.9, 5}, false, "≥ 2.00", "MISSED by 10%")
	memory := target{measure: perProfile, atMost: 1.1}
	f(memory, Estimate{0.99, 0.98, 1, 5}, true, "≤ 1.10 KiB", "met by 10%")
	errors := target{measure: failed}
	f(errors, Estimate{0, 0, 0, 5}, true, "≤ 0.00", "met")
	f(errors, Estimate{0.01, 0, 0.02, 5}, false, "≤ 0.00", "MISSED")
}

// What a target measures, from rounds whose figures are plain.
func TestTargetEstimates(t *testing.T) {
	rounds := func(cpu, p50 float64) []Round {
		return []Round{{Requests: 100, Seconds: 1, ProcessorCPU: cpu, P50: p50}, {Requests: 100, Seconds: 1, ProcessorCPU: cpu, P50: p50}, {Requests: 100, Seconds: 1, ProcessorCPU: cpu, P50: p50}}
	}
	full := rounds(1, 1)
	for i := range full {
		full[i].Resident, full[i].Profiles = 30<<10, 20 // 1.5 KiB each, whatever the callers
	}
	r := &Report{Cells: []Cell{
		{Name: "a", Results: []Result{{Bare, rounds(0, 1)}, {Noop, rounds(2, 3)}, {"mine", rounds(1, 2)}}},
		{Name: "b", Results: []Result{{"mine", rounds(1.5, 4)}, {"full", full}}},
	}}
	f := func(of target, want float64) {
		t.Helper()
		if got := of.estimate(r); math.Abs(got.Median-want) > 1e-9 && !(math.IsNaN(want) && !got.Known()) {
			t.Errorf("%s of %s in %s is %v, want %v", of.what(), of.variant, of.cell, got, want)
		}
	}
	f(target{cell: "a", variant: "mine", measure: processorCPU, reference: toNoop}, 0.5)
	f(target{cell: "a", variant: "mine", measure: p50, reference: aboveBare}, 0.5)
	f(target{cell: "a", variant: "mine", measure: p50}, 2)
	f(target{cell: "b", variant: "mine", measure: processorCPU, reference: reference{cell: "a"}}, 1.5)
	f(target{cell: "b", variant: "mine", measure: processorCPU, reference: toNoop}, math.NaN())
	f(target{cell: "b", variant: "full", measure: perProfile}, 1.5)
	f(target{cell: "b", variant: "mine", measure: perProfile}, math.NaN())
	f(target{cell: "nowhere", variant: "mine", measure: p50}, math.NaN())
	f(target{cell: "a", variant: "nobody", measure: p50}, math.NaN())
}
