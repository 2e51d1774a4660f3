package rego

import (
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// settle decides about the variables that stand for values of input.
func (s *scan) settle() {
	for _, v := range slices.Sorted(maps.Keys(s.bound)) {
		for _, ref := range s.bound[v] {
			if full, isInput := s.input(ref); isInput {
				s.variable(v, full)
			}
		}
	}
}

// variable is v = ref, of input.
func (s *scan) variable(v ast.Var, ref ast.Ref) {
	switch at := s.others[v]; {
	case at != nil:
		s.whole(ref, at, "is used as a value here")
		return
	case len(s.bound[v]) > 1:
		s.whole(ref, s.rule.Location, "is one of several values of a variable in this rule")
		return
	}
	s.presence(ref)
	self := ast.NewTerm(v)
	for _, c := range s.compared[v] {
		if !s.atoms(ref, self, c) {
			s.whole(ref, c.at, c.why())
		}
	}
}

// presence makes the key tell whether what ref refers to is there.
func (s *scan) presence(ref ast.Ref) {
	all, exact := leaves(ref)
	if exact {
		for _, l := range all {
			s.probe(l)
		}
		return
	}
	for _, l := range all { // an object: it may not be there yet
		if l.absent != nil {
			absent := l.absent
			s.probe(leaf{path: pathOf(ref), source: flag(func(v *view) bool { return absent(v) })})
		}
	}
}

// atoms makes the key tell how c comes out, where the operand self of it takes
// the values of ref. !ok: it cannot.
func (s *scan) atoms(ref ast.Ref, self *ast.Term, c comparison) (ok bool) {
	all, exact := leaves(ref)
	if !exact {
		return false
	}
	if c.b == nil {
		return s.each(all, condition, nil, false)
	}
	other, flipped := c.b, false
	if !self.Equal(c.a) {
		other, flipped = c.a, true
	} else if self.Equal(c.b) {
		return false // with itself
	}
	if values, ok := s.constants(other); ok {
		for _, value := range values {
			if !s.each(all, c.op, value, flipped) {
				return false
			}
		}
		return true
	}
	v, isVar := other.Value.(ast.Var)
	if !isVar || !comparisons[c.op] || len(s.bound[v]) != 1 {
		return false
	}
	full, isInput := s.input(s.bound[v][0])
	if !isInput {
		return false
	}
	with, exact := leaves(full)
	return exact && s.paired(all, with)
}

func (s *scan) each(all []leaf, op string, value ast.Value, flipped bool) bool {
	for _, l := range all {
		if !s.probe(l).atom(op, value, flipped) {
			return false
		}
	}
	return true
}

// maxRange bounds the constants that a variable may stand for.
const maxRange = 64

// constants are the values that a term can have, where they are constants.
func (s *scan) constants(t *ast.Term) ([]ast.Value, bool) {
	if value, ok := s.constant(t); ok {
		return []ast.Value{value}, true
	}
	v, isVar := t.Value.(ast.Var)
	if !isVar {
		return nil, false
	}
	from, ok := s.through(v)
	var all []ast.Value
	eachMember(from, func(value ast.Value) { all = append(all, value) })
	return all, ok && len(all) <= maxRange
}

// through is the collection whose members v goes through.
func (s *scan) through(v ast.Var) (ast.Value, bool) {
	if d := s.domain[v]; d != nil && len(s.bound[v])+len(s.literal[v]) == 0 {
		return s.constant(d)
	}
	if len(s.bound[v]) != 1 || len(s.literal[v]) > 0 || !s.settled(v) {
		return nil, false
	}
	of := s.bound[v][0]
	switch last := len(of) - 1; {
	case last < 1 || !isVar(of[last]):
		return nil, false
	case last == 1:
		return s.constant(of[0])
	default:
		return s.constant(ast.NewTerm(of[:last]))
	}
}

// constant is the value of a term that is one, or of a variable that is bound
// to one.
func (s *scan) constant(t *ast.Term) (ast.Value, bool) {
	v, ok := t.Value.(ast.Var)
	if !ok {
		return s.value(t)
	}
	switch {
	case !s.settled(v):
	case len(s.bound[v]) == 0 && len(s.literal[v]) == 1:
		return s.literal[v][0], true
	case len(s.bound[v]) == 1 && len(s.literal[v]) == 0:
		return s.value(ast.NewTerm(s.bound[v][0]))
	}
	return nil, false
}

// settled: nothing else can have bound v where the rule succeeds. Used within a
// comprehension, say, what binds it there says nothing about it outside.
func (s *scan) settled(v ast.Var) bool { return s.others[v] == nil || s.first[v] }

// paired makes the key tell how numbers of input compare with each other.
func (s *scan) paired(as, bs []leaf) bool {
	for _, a := range as {
		for _, b := range bs {
			x, ok := a.source.(decimal)
			y, also := b.source.(decimal)
			if !ok || !also {
				return false
			}
			s.probe(a)
			s.probe(b)
			if _, known := s.pairs[[2]string{b.path, a.path}]; !known { // it says the same
				s.pairs[[2]string{a.path, b.path}] = pair{x, y}
			}
		}
	}
	return true
}
