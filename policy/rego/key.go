package rego

import (
	"encoding/binary"
	"net"
	"regexp"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// keying writes the key of an exchange: all that its decision can depend on.
// Exchanges of the same key get the same decision.
//
// A key is a sequence of parts that are each read back in one way only, so that
// no two sequences look alike: for every probe a 0 where the value is absent,
// else its own part; then the pairs.
type keying struct {
	probes []*probe
	pairs  []pair
}

// maxKey bounds a key in bytes. An exchange whose key is longer (a client sends
// long words where few are expected) is not remembered.
const maxKey = 512

// append writes the key into v.key. !ok: it is too long.
func (k *keying) append(v *view) (key []byte, ok bool) {
	key = v.key[:0]
	for _, p := range k.probes {
		if key = p.append(key, v); len(key) > maxKey {
			return nil, false
		}
	}
	for i := range k.pairs {
		key = append(key, k.pairs[i].of(v))
	}
	v.key = key
	return key, len(key) <= maxKey
}

// probe is what a key says of one value of input: the value itself, or how its
// atoms come out; at the least, whether it is there.
type probe struct {
	source source
	absent func(*view) bool // of the object that it is in; nil: that is always there
	whole  bool
	cuts   []cut
	match  []match
	nets   []*net.IPNet // of a place
}

// there begins the part of a value that is there.
const there = 1

func (p *probe) append(key []byte, v *view) []byte {
	if p.absent != nil && p.absent(v) {
		return append(key, 0)
	}
	switch source := p.source.(type) {
	case flag:
		return append(key, there, truth(source(v)))
	case count:
		n, ok := source(v)
		return p.number(key, uint64(n), rankInt(n), ok)
	case decimal:
		f := source(v)
		return p.number(key, 0, rankFloat(f), finite(f))
	case text:
		s, ok := source(v)
		if !ok {
			return append(key, 0)
		}
		return p.string(key, s)
	case place:
		a := source(v)
		if !a.IsValid() {
			return append(key, 0)
		}
		if key = append(key, there); len(p.match) > 0 {
			v.scratch = a.AppendTo(v.scratch[:0])
			key = p.matches(key, v.scratch)
		}
		for _, n := range p.nets {
			key = append(key, inside(n, a))
		}
	case word:
		v.scratch = append(v.scratch[:0], source(v)...)
		return p.string(key, v.scratch)
	case words:
		all := source(v)
		key = binary.AppendUvarint(key, uint64(len(all)))
		for _, s := range all {
			key = append(binary.AppendUvarint(key, uint64(len(s))), s...)
		}
	}
	return key
}

func (p *probe) number(key []byte, whole, rank uint64, ok bool) []byte {
	if !ok {
		return append(key, 0)
	}
	key = append(key, there)
	if p.whole {
		return binary.AppendUvarint(key, whole)
	}
	for i := range p.cuts {
		key = append(key, p.cuts[i].of(rank))
	}
	return key
}

func (p *probe) string(key, s []byte) []byte {
	key = append(key, there)
	if p.whole {
		return append(binary.AppendUvarint(key, uint64(len(s))), s...)
	}
	return p.matches(key, s)
}

func (p *probe) matches(key, s []byte) []byte {
	for i := range p.match {
		key = append(key, p.match[i].of(s))
	}
	return key
}

// pair is a comparison of two numbers of input, as of a detector's score with
// the threshold. The numbers are finite decimals, which OPA writes with the
// fewest digits that tell them apart, and so orders as Go does.
type pair struct{ a, b decimal }

func (p *pair) of(v *view) byte {
	switch a, b := p.a(v), p.b(v); {
	case a < b:
		return below
	case a == b:
		return equal
	case a > b:
		return above
	}
	return 0 // one is absent; the probes say which
}

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
