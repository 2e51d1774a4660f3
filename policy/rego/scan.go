package rego

import (
	"github.com/open-policy-agent/opa/v1/ast"
)

// scan goes through one rule and tells atoms from every other use of input.
//
// It knows a few shapes and takes everything else, whatever it is, for a use
// that sees the value:
//
//	input.a                     a condition
//	input.a = c                 c a constant
//	v = input.a                 v a variable that nothing else binds
//	v;  v = c;  lt(v, c) …      with such a v, also lt(v, c, x): x is only true or false
//	internal.member_2(v, c)     v in c
//	regex.match(c, v), net.cidr_contains(c, v)
//	c[v]                        a condition
//	lt(v, w)                    both numbers
//	lt(v, w)                    w one of a few constants: w = c[_], or every w in c
//	v.b.c                       where v is an object of input: it is input.a.b.c
type scan struct {
	*analysis
	rule *ast.Rule
	at   *ast.Location // of what is being looked at

	bound    map[ast.Var][]ast.Ref   // by v = input.… or v = data.…, once for each
	literal  map[ast.Var][]ast.Value // by v = c, of a constant
	domain   map[ast.Var]*ast.Term   // by every v in domain
	first    map[ast.Var]bool        // bound in the body of the rule itself: what it is bound to there, it is wherever the rule succeeds
	compared map[ast.Var][]comparison
	others   map[ast.Var]*ast.Location // used otherwise: where first
}

func newScan(a *analysis, r *ast.Rule) *scan {
	return &scan{
		analysis: a, rule: r, at: r.Location,
		bound: map[ast.Var][]ast.Ref{}, literal: map[ast.Var][]ast.Value{}, domain: map[ast.Var]*ast.Term{}, first: map[ast.Var]bool{},
		compared: map[ast.Var][]comparison{}, others: map[ast.Var]*ast.Location{},
	}
}

func (s *scan) run() {
	ast.WalkExprs(s.rule, func(e *ast.Expr) bool {
		if v, ref := binding(e); ref != nil {
			s.bound[v] = append(s.bound[v], ref)
		} else if v, value := literal(e); value != nil {
			s.literal[v] = append(s.literal[v], value)
		}
		if every, ok := e.Terms.(*ast.Every); ok {
			if v, ok := every.Value.Value.(ast.Var); ok {
				s.domain[v] = every.Domain
			}
		}
		return false
	})
	if s.rule.Else == nil { // else has a body of its own
		for _, e := range s.rule.Body {
			if v, ref := binding(e); ref != nil {
				s.first[v] = true
			} else if v, value := literal(e); value != nil {
				s.first[v] = true
			}
		}
	}
	s.walk(s.rule)
	s.settle()
}

// sides are the operands of an equation that has to hold, both ways round.
func sides(e *ast.Expr) (both [][2]*ast.Term) {
	terms, ok := e.Terms.([]*ast.Term)
	if !ok || e.Negated || len(e.With) > 0 || len(terms) != 3 || !e.IsEquality() {
		return nil
	}
	return [][2]*ast.Term{{terms[1], terms[2]}, {terms[2], terms[1]}}
}

// binding is v and ref of `v = ref`, where ref begins with input, with data or
// with another variable; ref is nil for any other expression.
func binding(e *ast.Expr) (ast.Var, ast.Ref) {
	for _, side := range sides(e) {
		v, isVar := side[0].Value.(ast.Var)
		ref, isRef := side[1].Value.(ast.Ref)
		if isVar && isRef {
			return v, ref
		}
	}
	return "", nil
}

// literal is v and c of `v = c`.
func literal(e *ast.Expr) (ast.Var, ast.Value) {
	for _, side := range sides(e) {
		if v, isVar := side[0].Value.(ast.Var); isVar && ast.IsConstant(side[1].Value) {
			return v, side[1].Value
		}
	}
	return "", nil
}

// walk visits what stands in no shape that is known.
func (s *scan) walk(x any) { ast.NewGenericVisitor(s.visit).Walk(x) }

// visit answers whether x is done with.
func (s *scan) visit(x any) bool {
	switch x := x.(type) {
	case *ast.Head:
		for _, t := range x.Reference[min(1, len(x.Reference)):] {
			s.walk(t)
		}
	case *ast.Expr:
		s.look(x.Location)
		return s.expr(x)
	case *ast.With:
		s.look(x.Location)
		s.problem("`with` evaluates rules under another input, data or function: decisions of a policy that uses it are not remembered, every request is evaluated")
		return true
	case *ast.Term:
		s.look(x.Location)
	case ast.Ref:
		s.ref(x)
		return true
	case ast.Var:
		if s.others[x] == nil {
			s.others[x] = s.at
		}
	}
	return false
}

// look remembers where the author wrote what is being looked at.
func (s *scan) look(l *ast.Location) {
	if l != nil && l.Row > 0 {
		s.at = l
	}
}

func (s *scan) problem(format string, args ...any) {
	s.problems = append(s.problems, problemAt(s.at, format, args...))
}

// ref is a reference that is used as a value.
func (s *scan) ref(ref ast.Ref) {
	switch full, isInput := s.input(ref); {
	case isInput:
		s.whole(full, s.at, "is used as a value here")
	case clocked[ref.String()]:
		s.problem("%s looks at the clock: decisions are not remembered, every request is evaluated", ref)
	default:
		s.walk(ref[0])
	}
	s.brackets(ref)
}

// brackets visits what stands in the brackets of a reference.
func (s *scan) brackets(ref ast.Ref) {
	for _, t := range ref[1:] {
		s.walk(t)
	}
}

// clocked are builtins whose answer changes with the time.
var clocked = map[string]bool{
	"crypto.x509.parse_and_verify_certificates":              true,
	"crypto.x509.parse_and_verify_certificates_with_options": true,
}

// input is the reference from input on, where it is one: it may begin with a
// variable that stands for an object of input.
func (s *scan) input(ref ast.Ref) (ast.Ref, bool) {
	for range 16 { // more than anybody nests
		if ref.HasPrefix(ast.InputRootRef) {
			return ref, true
		}
		v, ok := ref[0].Value.(ast.Var)
		if !ok || len(s.bound[v]) != 1 || len(ref) < 2 {
			return nil, false
		}
		ref = s.bound[v][0].Concat(ref[1:])
	}
	return nil, false
}
