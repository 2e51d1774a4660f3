package rego

import (
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// view is what the fields of the schema look at.
type view struct {
	in  *policy.Input
	ex  *scoring.Exchange
	a   *scoring.Assessment
	who *scoring.Identity

	scratch []byte // room for texts that are put together
	key     []byte // room for the memo's key

	_ [64]byte // a cache line between the views of two processors
}

// look turns the view to an exchange; blink turns it away, so that nothing of
// the exchange outlives it.
func (v *view) look(in *policy.Input) {
	v.in, v.ex, v.a, v.who = in, in.Exchange, &in.Exchange.Assessment, policy.Principal(in.Exchange)
}

func (v *view) blink() { v.in, v.ex, v.a, v.who = nil, nil, nil, nil }

// step builds one name of the input document.
type step struct {
	key    *ast.Term
	source source // nil: the steps make it
	steps  []step
	absent func(*view) bool
}

// planFor leaves of the schema what is read.
func planFor(fields []field, reads *node) []step {
	var plan []step
	for _, f := range fields {
		n := reads.children[f.name]
		if reads.whole {
			n = &node{whole: true}
		}
		if n == nil {
			continue
		}
		s := step{key: ast.StringTerm(f.name), absent: f.absent}
		switch {
		case f.fields != nil:
			s.steps = planFor(f.fields, n)
		case f.entry != nil && !n.whole:
			for _, name := range n.names() {
				s.steps = append(s.steps, step{key: ast.StringTerm(name), source: f.entry(name)})
			}
		default:
			s.source = f.source
		}
		plan = append(plan, s)
	}
	return plan
}

// build makes the input document that a plan asks for. Nothing of it points
// into the exchange.
func (v *view) build(plan []step, in *policy.Input) *ast.Term {
	v.look(in)
	defer v.blink()
	return v.object(plan)
}

func (v *view) object(plan []step) *ast.Term {
	o := make(fields, 0, len(plan))
	for i := range plan {
		switch s := &plan[i]; {
		case s.absent != nil && s.absent(v):
		case s.source != nil:
			o.add(s.key, s.source.term(v))
		default:
			o.add(s.key, v.object(s.steps))
		}
	}
	return o.term()
}

// fields collects an object.
type fields [][2]*ast.Term

// add leaves out what is absent.
func (f *fields) add(key, value *ast.Term) {
	if value != nil {
		*f = append(*f, [2]*ast.Term{key, value})
	}
}

func (f fields) term() *ast.Term { return ast.ObjectTerm(f...) }
