package rego

import (
	"cmp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// Fired is a contract rule that said something.
type Fired struct {
	Rule    string `json:"rule"`
	Element any    `json:"element"`
	File    string `json:"file"`
	Row     int    `json:"row"`
}

// Held is a contract rule that said nothing, and the first condition that did
// not hold where it came furthest.
type Held struct {
	Rule      string  `json:"rule"`
	File      string  `json:"file"`
	Row       int     `json:"row"`
	Condition Problem `json:"condition"`
}

// explain reads from a trace which contract rules fired, and why others did not.
func explain(trace topdown.BufferTracer) ([]Fired, []Held) {
	fired, held := []Fired{}, []Held{}
	tried := map[uint64]*ast.Rule{} // by query: a contract rule's body
	failed := map[*ast.Rule]*ast.Expr{}
	said := map[*ast.Rule]bool{}
	for _, e := range trace {
		switch e.Op {
		case topdown.EnterOp:
			if r, ok := e.Node.(*ast.Rule); ok && r.Module != nil && isContract(r.Module) && contract[ruleName(r)] != nil {
				tried[e.QueryID] = r
			}
		case topdown.ExitOp:
			if r := tried[e.QueryID]; r != nil && r.Head.Key != nil {
				said[r] = true
				fired = append(fired, Fired{ruleName(r), element(r.Head.Key.Value, e), r.Location.File, r.Location.Row})
			}
		case topdown.FailOp:
			r, expr := tried[e.QueryID], e.Node
			if x, ok := expr.(*ast.Expr); ok && r != nil && (failed[r] == nil || x.Index >= failed[r].Index) {
				failed[r] = x
			}
		}
	}
	for r, x := range failed {
		if said[r] || x.Location == nil {
			continue
		}
		text, _, _ := strings.Cut(string(x.Location.Text), "\n")
		held = append(held, Held{ruleName(r), r.Location.File, r.Location.Row, problemAt(x.Location, "%s", text)})
	}
	slices.SortStableFunc(fired, func(a, b Fired) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row)) })
	slices.SortFunc(held, func(a, b Held) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row)) })
	return fired, held
}

// element is what a rule's head holds at the end of its body.
func element(key ast.Value, e *topdown.Event) any {
	if ast.IsConstant(key) {
		return plainly(key)
	}
	own := ast.NewTerm(key).Copy() // the policy's stays as it is
	plugged, err := ast.TransformVars(own.Value, func(v ast.Var) (ast.Value, error) {
		if e.Locals != nil {
			if bound := e.Locals.Get(v); bound != nil {
				return bound, nil
			}
		}
		return v, nil
	})
	if v, ok := plugged.(ast.Value); ok && err == nil {
		return plainly(v)
	}
	return key.String()
}

func plainly(v ast.Value) any {
	out, err := ast.JSON(v)
	if err != nil {
		return v.String()
	}
	return out
}
