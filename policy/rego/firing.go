package rego

import (
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// checkFiring finds conditions that are never true, and those that are true only
// if a rule is that has such a condition.
func checkFiring(c *ast.Compiler, data map[string]any) (out []Problem) {
	var rules []*ast.Rule // in one order: it decides which of several conditions is told
	for _, name := range slices.Sorted(maps.Keys(c.Modules)) {
		rules = append(rules, c.Modules[name].Rules...)
	}
	dead := map[*ast.Rule]bool{}
	for _, r := range rules {
		if found := checkNever(c, data, r); len(found) > 0 {
			out = append(out, found...)
			dead[r] = r.Else == nil
		}
	}
	for more := len(dead) > 0; more; {
		more = false
		for _, r := range rules {
			if e := needs(c, r, dead); e != nil && !dead[r] && r.Else == nil {
				out = append(out, problemAt(e.Location, "this is never true, as what it refers to is not"))
				dead[r], more = true, true
			}
		}
	}
	return out
}

// needs is a condition of r that refers to rules which are all dead.
func needs(c *ast.Compiler, r *ast.Rule, dead map[*ast.Rule]bool) *ast.Expr {
	for _, e := range r.Body {
		if e.Negated || len(e.With) > 0 {
			continue
		}
		if slices.ContainsFunc(operands(e), func(ref ast.Ref) bool { return neverDefined(c, ref, dead) }) {
			return e
		}
	}
	return nil
}

// operands are the references without which an expression is undefined.
func operands(e *ast.Expr) (refs []ast.Ref) {
	terms, _ := e.Terms.([]*ast.Term)
	if t, ok := e.Terms.(*ast.Term); ok {
		terms = []*ast.Term{nil, t}
	}
	for _, t := range terms[min(1, len(terms)):] {
		if ref, ok := t.Value.(ast.Ref); ok {
			refs = append(refs, ref)
		}
	}
	return refs
}

// neverDefined: it refers to rules that are all dead. A set or an object is
// defined without elements, too.
func neverDefined(c *ast.Compiler, ref ast.Ref, dead map[*ast.Rule]bool) bool {
	rules := c.GetRulesExact(ref)
	return len(rules) > 0 && !slices.ContainsFunc(rules, func(r *ast.Rule) bool {
		return !dead[r] || r.Default || r.Head.RuleKind() != ast.SingleValue
	})
}
