package rego

import (
	"cmp"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// analysis finds out what of input the decisions of a compiled policy can
// depend on, and makes of it the memo's key.
//
// The compiler has rewritten the rules: operands stand in locals of their own
// (`__local3__ = input.score; gt(__local3__, 4)`), before a `not` and not within
// it. So evaluation sees of a value that only flows into atoms whether it is
// there and how each atom comes out, and these join the key. A value that flows
// anywhere else (scan.go decides that, in doubt that it does) joins the key as a
// whole if it is one of few, and ends the analysis with a problem if not.
//
// It is right by the following argument. Take two exchanges of the same key and
// evaluate both, step by step. Where a step reads input, the value is there in
// both or in neither; where it is a whole one, it is the same; where it is not,
// only an atom reads it, and comes out the same. So all steps do the same, and
// nothing else differs between the exchanges: data is the Engine's own, and
// builtins that answer differently each time are not there (capabilities.go).
type analysis struct {
	facts
	probes   map[string]*probe // by path
	pairs    map[[2]string]pair
	problems []Problem
}

// analyse is the memo's key for the policy, or why there is none.
func analyse(c *ast.Compiler, data map[string]any) (keying, []Problem) {
	a := &analysis{
		facts:  facts{rules: c.RuleTree, base: data},
		probes: map[string]*probe{},
		pairs:  map[[2]string]pair{},
	}
	used := reachable(c)
	for _, m := range c.Modules {
		for _, r := range m.Rules {
			if chainUsed(r, used) {
				newScan(a, r).run()
			}
		}
	}
	if len(a.problems) > 0 {
		return keying{}, sorted(a.problems)
	}
	var k keying
	for _, path := range slices.Sorted(maps.Keys(a.probes)) {
		k.probes = append(k.probes, a.probes[path])
	}
	for _, paths := range slices.SortedFunc(maps.Keys(a.pairs), func(x, y [2]string) int {
		return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]))
	}) {
		k.pairs = append(k.pairs, a.pairs[paths])
	}
	return k, nil
}

// reachable are the rules that a decision evaluates: those of the contract and
// what they refer to.
func reachable(c *ast.Compiler) map[*ast.Rule]bool {
	used := map[*ast.Rule]bool{}
	var visit func(*ast.Rule)
	visit = func(r *ast.Rule) {
		if used[r] {
			return
		}
		used[r] = true
		for dependency := range c.Graph.Dependencies(r) {
			visit(dependency.(*ast.Rule))
		}
	}
	for _, m := range c.Modules {
		if !isContract(m) {
			continue
		}
		for _, r := range m.Rules {
			if contract[ruleName(r)] != nil {
				visit(r)
			}
		}
	}
	return used
}

func chainUsed(r *ast.Rule, used map[*ast.Rule]bool) bool {
	for ; r != nil; r = r.Else {
		if used[r] {
			return true
		}
	}
	return false
}

// probe is the key's part for a leaf; from here on the key tells whether the
// value is there.
func (a *analysis) probe(l leaf) *probe {
	p := a.probes[l.path]
	if p == nil {
		p = &probe{source: l.source, absent: l.absent}
		a.probes[l.path] = p
	}
	return p
}

// whole makes the key tell the values that ref takes. They are used as at says.
func (a *analysis) whole(ref ast.Ref, at *ast.Location, why string) {
	all, _ := leaves(ref)
	for _, l := range all {
		switch l.source.(type) {
		case flag, fixed:
		default:
			if !l.few {
				a.problems = append(a.problems, problemAt(at, "%s %s, and it has too many values to remember decisions by: every request is evaluated. Compared with a constant it would do no harm (==, <, in, startswith, regex.match and the like)", pathOf(ref), why))
				return
			}
		}
		a.probe(l).whole = true
	}
}
