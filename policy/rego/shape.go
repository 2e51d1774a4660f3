package rego

import (
	"github.com/open-policy-agent/opa/v1/ast"
)

// comparison is a possible atom: a condition on one operand, or a comparison of two.
type comparison struct {
	op   string
	a, b *ast.Term // b is nil for a condition
	at   *ast.Location
}

// why says why it is no atom.
func (c comparison) why() string {
	if c.b == nil {
		return "is used as a value here"
	}
	return "is compared with what is no constant here"
}

// expr answers whether e has a shape that is known, and is done with.
func (s *scan) expr(e *ast.Expr) bool {
	if len(e.With) > 0 {
		return false
	}
	switch t := e.Terms.(type) {
	case *ast.Term:
		return s.condition(t)
	case []*ast.Term:
		if v, ref := binding(e); ref != nil && s.binds(v, ref) {
			return true
		}
		op := e.Operator().String()
		if !knownBuiltin(op) || len(t) < 3 || !s.operand(t[1]) || !s.operand(t[2]) {
			return false
		}
		if e.IsEquality() && isVar(t[1]) && isVar(t[2]) {
			return false // either may bind the other
		}
		s.compare(comparison{op, t[1], t[2], s.at})
		for _, out := range t[3:] {
			s.walk(out)
		}
		return true
	}
	return false
}

// binds is `v = ref`: what v is used for decides.
func (s *scan) binds(v ast.Var, ref ast.Ref) bool {
	if _, isInput := s.input(ref); !isInput && !(ref.HasPrefix(ast.DefaultRootRef) && ref.IsGround()) {
		return false
	}
	s.brackets(ref)
	return true
}

// condition is a term that stands alone.
func (s *scan) condition(t *ast.Term) bool {
	switch x := t.Value.(type) {
	case ast.Var:
		s.compare(comparison{condition, t, nil, s.at})
		return true
	case ast.Ref:
		if _, isInput := s.input(x); isInput {
			s.compare(comparison{condition, t, nil, s.at})
			return true
		}
		last := x[len(x)-1]
		if isVar(last) && x.HasPrefix(ast.DefaultRootRef) && x[:len(x)-1].IsGround() {
			s.compare(comparison{lookup, last, ast.NewTerm(x[:len(x)-1]), s.at})
			return true
		}
	}
	return false
}

// operand answers whether t may stand in an atom.
func (s *scan) operand(t *ast.Term) bool {
	switch x := t.Value.(type) {
	case ast.Var:
		return true
	case ast.Ref:
		_, isInput := s.input(x)
		return isInput || x.HasPrefix(ast.DefaultRootRef) && x.IsGround()
	}
	return ast.IsConstant(t.Value)
}

// compare takes down what its operands are used for: a variable's is settled when
// all of its uses are known.
func (s *scan) compare(c comparison) {
	for _, t := range []*ast.Term{c.a, c.b} {
		if t == nil {
			continue
		}
		switch x := t.Value.(type) {
		case ast.Var:
			s.compared[x] = append(s.compared[x], c)
		case ast.Ref:
			ref, isInput := s.input(x)
			if !isInput {
				continue // data
			}
			if !s.atoms(ref, t, c) {
				s.whole(ref, c.at, c.why())
			}
			s.brackets(x)
		}
	}
}

func isVar(t *ast.Term) bool {
	_, ok := t.Value.(ast.Var)
	return ok
}
