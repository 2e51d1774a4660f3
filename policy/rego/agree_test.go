package rego

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/policy"
)

// trial puts generated policies to the test: for every input, what the memo
// recalls must be what evaluation says.
type trial struct {
	policies, compiled, memoised, inputs, hits, errors int
}

// policy compiles one that the dice make; nil where OPA refuses it (types that
// never match) or the memo has no key for it.
func (tr *trial) policy(d *dice) (e *Engine, text string, err error) {
	tr.policies++
	text = (&grammar{dice: d}).policy()
	m, err := ast.ParseModuleWithOpts("generated.rego", text, ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		return nil, "", fmt.Errorf("the grammar writes what is no Rego: %w\n%s", err, text)
	}
	if e, err = newEngine(map[string]*ast.Module{"generated.rego": m}, baseData()); err != nil {
		return nil, "", nil
	}
	tr.compiled++
	if e.memo == nil {
		return nil, "", nil
	}
	tr.memoised++
	return e, text, nil
}

// disagreement is the first of so many inputs, "" if there is none.
func (tr *trial) disagreement(e *Engine, d *dice, inputs int) string {
	for range inputs {
		tr.inputs++
		in := anInput(d)
		if complaint := tr.agree(e, in); complaint != "" {
			return fmt.Sprintf("%s\ninput %s", complaint, wholeInput(in))
		}
	}
	return ""
}

func (tr *trial) run(t *testing.T, d *dice, inputs int) {
	t.Helper()
	e, text, err := tr.policy(d)
	if err != nil {
		t.Fatal(err)
	}
	if e == nil {
		return
	}
	if complaint := tr.disagreement(e, seeded(d.rolled()), inputs); complaint != "" {
		t.Fatalf("%s\n%s", complaint, text)
	}
}

func (tr *trial) agree(e *Engine, in *policy.Input) string {
	got, hit := e.Recall(in)
	want, err := e.evaluate(context.Background(), new(view).build(e.plan, in), in.Now)
	switch {
	case hit && err != nil:
		return fmt.Sprintf("remembered %+v, evaluated: %v", got, err)
	case hit && !reflect.DeepEqual(got, want):
		return fmt.Sprintf("remembered %+v, evaluated %+v", got, want)
	case hit:
		tr.hits++
		return ""
	case err != nil:
		tr.errors++
	}
	e.Decide(context.Background(), in)
	if _, hit := e.Recall(in); hit != (err == nil) {
		return fmt.Sprintf("remembered: %v, after a decision that ended with %v", hit, err)
	}
	return ""
}

func wholeInput(in *policy.Input) string {
	return new(view).build(planFor(schema, &node{whole: true}), in).String()
}

// TestMemoAgrees: thousands of generated policies over inputs of their own.
func TestMemoAgrees(t *testing.T) {
	policies := uint64(2000)
	if underRace {
		policies = 200
	}
	var tr trial
	for seed := range policies {
		tr.run(t, seeded(seed), 40)
	}
	t.Logf("%+v", tr)
	// A test that compiles nothing, or never hits, would say nothing.
	if tr.compiled < tr.policies*9/10 || tr.memoised < tr.compiled/3 || tr.hits < tr.inputs/4 || tr.errors == 0 {
		t.Errorf("too little was put to the test: %+v", tr)
	}
}

// spoilers make the key say less than it must, each in one way.
var spoilers = map[string]func(*keying){
	"no probe":                       func(k *keying) { k.probes = nil },
	"no pair":                        func(k *keying) { k.pairs = nil },
	"one probe less":                 func(k *keying) { k.probes = k.probes[:max(0, len(k.probes)-1)] },
	"numbers are not cut":            eachProbe(func(p *probe) { p.cuts = nil }),
	"at a constant is above it":      eachProbe(func(p *probe) { eachCut(p, func(c *cut) { c.above = c.notBelow }) }),
	"at a constant is below it":      eachProbe(func(p *probe) { eachCut(p, func(c *cut) { c.notBelow = c.above }) }),
	"a constant is a bit less":       eachProbe(func(p *probe) { eachCut(p, func(c *cut) { c.notBelow--; c.above-- }) }),
	"strings are not matched":        eachProbe(func(p *probe) { p.match = nil }),
	"all matches are for equality":   eachMatch(func(m *match) { m.how = same }),
	"prefixes are infixes":           eachMatch(func(m *match) { rename(m, prefix, infix) }),
	"suffixes are infixes":           eachMatch(func(m *match) { rename(m, suffix, infix) }),
	"order is equality":              eachMatch(func(m *match) { rename(m, order, same) }),
	"sets are empty":                 eachMatch(func(m *match) { m.set = nil }),
	"what is found is true":          eachMatch(func(m *match) { holdAll(m) }),
	"all networks are alike":         eachProbe(func(p *probe) { p.nets = nil }),
	"few values are one":             eachProbe(func(p *probe) { p.whole = false }),
	"there is always a response":     eachProbe(func(p *probe) { p.absent = nil }),
	"flags are there, true or not":   eachSource(func(f flag) source { return flag(func(*view) bool { return true }) }),
	"texts that are absent are \"\"": eachSource(func(f text) source { return text(func(v *view) ([]byte, bool) { s, _ := f(v); return s, true }) }),
	"numbers that are absent are 0": eachSource(func(f decimal) source {
		return decimal(func(v *view) float64 {
			if n := f(v); finite(n) {
				return n
			}
			return 0
		})
	}),
}

func eachProbe(f func(*probe)) func(*keying) {
	return func(k *keying) {
		for _, p := range k.probes {
			f(p)
		}
	}
}

func eachCut(p *probe, f func(*cut)) {
	for i := range p.cuts {
		f(&p.cuts[i])
	}
}

func eachMatch(f func(*match)) func(*keying) {
	return eachProbe(func(p *probe) {
		for i := range p.match {
			p.match[i].bytes = []byte(p.match[i].with)
			f(&p.match[i])
		}
	})
}

func rename(m *match, from, to how) {
	if m.how == from {
		m.how = to
	}
}

func holdAll(m *match) {
	for s := range m.set {
		m.set[s] = 2
	}
}

func eachSource[S source](f func(S) source) func(*keying) {
	return eachProbe(func(p *probe) {
		if s, ok := p.source.(S); ok {
			p.source = f(s)
		}
	})
}

// Whatever the key leaves out, generated policies tell.
func TestASpoiltMemoIsFound(t *testing.T) {
	left := maps.Clone(spoilers)
	var tr trial
	for seed := uint64(0); len(left) > 0 && seed < 1500; seed++ {
		e, _, err := tr.policy(seeded(seed))
		if err != nil {
			t.Fatal(err)
		}
		if e == nil {
			continue
		}
		for what, spoil := range left {
			key, _ := analyse(e.compiler, baseData())
			spoil(&key)
			e.memo = newMemo(key)
			if tr.disagreement(e, seeded(seed), 60) != "" {
				t.Logf("%s: found by policy %d", what, seed)
				delete(left, what)
			}
		}
	}
	for what := range left {
		t.Errorf("%s, and nothing disagreed in %+v", what, tr)
	}
}

// FuzzMemo lets the fuzzer write policy and inputs. OPA goes through its maps
// in any order, so that much looks like new coverage: -fuzzminimizetime 1x.
func FuzzMemo(f *testing.F) {
	for seed := range uint64(20) {
		d := seeded(seed)
		b := make([]byte, 400)
		for i := range b {
			b[i] = byte(d.roll(256))
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var tr trial
		tr.run(t, &dice{bytes: b}, 40)
	})
}
