package rego

import (
	"net"
	"regexp"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// An atom is a comparison of one value of input with a constant. A decision
// sees nothing of the value but how the comparison comes out, so two exchanges
// in which all atoms come out alike get the same decision.
//
// OPA compares across types (null < boolean < number < string < …), but a
// field of the schema has one type only, so that a comparison with a constant
// of another type always comes out the same and need not be made.

// atom makes the key tell how `value op c` comes out, or `c op value` where
// flipped. !ok: it cannot.
func (p *probe) atom(op string, c ast.Value, flipped bool) (ok bool) {
	if op == condition {
		return true // false is a flag's alone, and that is in the key
	}
	switch p.source.(type) {
	case flag, fixed, words:
		return true // the key tells all of these
	case count, decimal:
		return p.numberAtom(op, c, flipped)
	case place:
		if op == "net.cidr_contains" && flipped {
			p.netAtom(c)
			return true
		}
		return p.stringAtom(op, c, flipped)
	case text, word:
		return p.stringAtom(op, c, flipped)
	}
	return false
}

func (p *probe) numberAtom(op string, c ast.Value, flipped bool) (ok bool) {
	switch {
	case comparisons[op]:
		return p.cut(c)
	case op == "internal.member_2" && !flipped:
		ok = true
		eachMember(c, func(e ast.Value) { ok = ok && p.cut(e) })
		return ok && len(p.cuts) <= maxKey/4
	}
	return false
}

func (p *probe) cut(c ast.Value) (ok bool) {
	if _, number := c.(ast.Number); !number {
		return true // of another type: it comes out the same for every number
	}
	at := cutFloat
	if _, whole := p.source.(count); whole {
		at = cutInt
	}
	x, ok := at(c)
	if ok && !slices.Contains(p.cuts, x) {
		p.cuts = append(p.cuts, x)
	}
	return ok
}

func (p *probe) stringAtom(op string, c ast.Value, flipped bool) (ok bool) {
	s, isString := c.(ast.String)
	switch {
	case comparisons[op] && !isString:
		return true // as above
	case op == "eq" || op == "equal" || op == "neq":
		p.add(match{how: same, with: string(s)})
	case comparisons[op]:
		p.add(match{how: order, with: string(s)})
	case op == "regex.match" && flipped:
		if re, err := regexp.Compile(string(s)); err == nil && isString {
			p.match = append(p.match, match{how: pattern, pattern: re})
		} // else it is an error of the builtin, and so undefined, whatever the value
	case flipped:
		return false
	case op == "internal.member_2":
		m := match{how: among, set: map[string]byte{}}
		eachMember(c, func(e ast.Value) {
			if s, ok := e.(ast.String); ok {
				m.set[string(s)] = 1
			}
		})
		p.match = append(p.match, m)
	case op == lookup:
		switch c.(type) {
		case ast.Set, ast.Object:
		default:
			return false // arrays of base data are found by numbers written as strings, too
		}
		m := match{how: among, set: map[string]byte{}}
		eachName(c, func(s string, holds bool) { m.set[s] = 1 + truth(holds) })
		p.match = append(p.match, m)
	default:
		how, known := matches[op]
		if !known || !isString {
			return false
		}
		p.add(match{how: how, with: string(s), bytes: []byte(s)})
	}
	return true
}

// netAtom is net.cidr_contains(c, address). A c that is no network makes it
// undefined whatever the address.
func (p *probe) netAtom(c ast.Value) {
	s, _ := c.(ast.String)
	if _, n, err := net.ParseCIDR(string(s)); err == nil {
		p.nets = append(p.nets, n)
	}
}

func (p *probe) add(m match) {
	for i := range p.match {
		if p.match[i].how == m.how && p.match[i].set == nil && p.match[i].with == m.with {
			return
		}
	}
	p.match = append(p.match, m)
}

// comparisons are the builtins that compare; eq is also how Rego unifies.
var comparisons = map[string]bool{"eq": true, "equal": true, "neq": true, "lt": true, "lte": true, "gt": true, "gte": true}

// knownBuiltin answers whether atom may know the builtin.
func knownBuiltin(op string) bool {
	switch op {
	case "internal.member_2", "regex.match", "net.cidr_contains":
		return true
	}
	return comparisons[op] || matches[op] != 0
}

// Names under which atom is asked for what is no builtin.
const (
	condition = "condition" // the value stands alone, as a condition
	lookup    = "lookup"    // c[value] does
)

// matches are the builtins that look for a constant in a string.
var matches = map[string]how{"startswith": prefix, "endswith": suffix, "contains": infix}

// eachMember calls f with what `x in c` compares x with.
func eachMember(c ast.Value, f func(ast.Value)) {
	switch c := c.(type) {
	case ast.Set:
		c.Foreach(func(t *ast.Term) { f(t.Value) })
	case *ast.Array:
		c.Foreach(func(t *ast.Term) { f(t.Value) })
	case ast.Object:
		c.Foreach(func(_, t *ast.Term) { f(t.Value) })
	}
}

// eachName calls f with the strings s for which c[s] is defined, and whether it
// is true there, as a condition sees it.
func eachName(c ast.Value, f func(s string, holds bool)) {
	name := func(k *ast.Term, holds bool) {
		if s, ok := k.Value.(ast.String); ok {
			f(string(s), holds)
		}
	}
	switch c := c.(type) {
	case ast.Set:
		c.Foreach(func(t *ast.Term) { name(t, true) })
	case ast.Object:
		c.Foreach(func(k, t *ast.Term) { name(k, t.Value.Compare(ast.Boolean(false)) != 0) })
	}
}
