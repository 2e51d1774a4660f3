package rego

import (
	"math"
	"strconv"

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
}

// step builds one name of the input document.
type step struct {
	key    *ast.Term
	value  func(*view) *ast.Term
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
				s.steps = append(s.steps, step{
					key:   ast.StringTerm(name),
					value: func(v *view) *ast.Term { return f.entry(v, name) },
				})
			}
		default:
			s.value = f.value
		}
		plan = append(plan, s)
	}
	return plan
}

// build makes the input document that a plan asks for. Nothing of it points
// into the exchange.
func (v *view) build(plan []step, in *policy.Input) *ast.Term {
	*v = view{in: in, ex: in.Exchange, a: &in.Exchange.Assessment, who: policy.Principal(in.Exchange)}
	t := v.object(plan)
	*v = view{}
	return t
}

func (v *view) object(plan []step) *ast.Term {
	o := make(fields, 0, len(plan))
	for i := range plan {
		switch s := &plan[i]; {
		case s.absent != nil && s.absent(v):
		case s.value != nil:
			o.add(s.key, s.value(v))
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

func str(s string) *ast.Term { return ast.InternedTerm(s) }

// text is absent when empty.
func text(b []byte) *ast.Term {
	if len(b) == 0 {
		return nil
	}
	return str(string(b))
}

func strs(all []string) *ast.Term {
	terms := make([]*ast.Term, len(all))
	for i, s := range all {
		terms[i] = str(s)
	}
	return ast.ArrayTerm(terms...)
}

func integer(n int64) *ast.Term {
	if n >= -1 && n <= 512 {
		return ast.InternedTerm(int(n))
	}
	return ast.NewTerm(ast.Number(strconv.FormatInt(n, 10)))
}

// known is absent below least: not known, or not yet.
func known(n, least int64) *ast.Term {
	if n < least {
		return nil
	}
	return integer(n)
}

// number is absent where it is none: OPA's numbers are JSON's.
func number(f float64) *ast.Term {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return integer(int64(f))
	}
	return ast.FloatNumberTerm(f)
}
