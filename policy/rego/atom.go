package rego

import (
	"bytes"
	"encoding/json"
	"math"
	"net"
	"net/netip"
	"regexp"

	"github.com/open-policy-agent/opa/v1/ast"
)

// An atom is a comparison of one value of input with a constant. A decision
// sees nothing of the value but how the comparison comes out, so two exchanges
// in which all atoms come out alike get the same decision.
//
// OPA compares across types (null < boolean < number < string < …), but a
// field of the schema has one type only, so that a comparison with a constant
// of another type always comes out the same and need not be made.

// cut says how a number stands to a constant c: below, at, above. It is made by
// asking OPA's own comparison for the first number that is not below c and the
// first that is above, so that it need not know how OPA compares.
type cut struct{ notBelow, above uint64 } // in the order of rank; math.MaxUint64: no number is

const (
	below = iota + 1
	equal
	above
)

func (c *cut) of(rank uint64) byte {
	switch {
	case rank < c.notBelow:
		return below
	case rank < c.above:
		return equal
	}
	return above
}

// rank puts numbers into the order of uint64. No number has the highest.
func rankInt(n int64) uint64 { return min(uint64(n)^1<<63, math.MaxUint64-1) }

func rankFloat(f float64) uint64 {
	bits := math.Float64bits(f + 0) // -0 is 0
	if bits>>63 == 1 {
		return ^bits
	}
	return bits | 1<<63
}

// digits bounds the constants that make a cut: beyond, OPA's comparison is no
// longer exact (it holds 64 bits of mantissa).
const digits = 18

// cutInt and cutFloat are !ok where c is no constant to cut at.
func cutInt(c ast.Value) (cut, bool) {
	f, ok := plainNumber(c)
	near := rankInt(int64(max(-1<<62, min(f, 1<<62))))
	return cutAt(c, near, 0, math.MaxUint64-1, func(rank uint64) ast.Value { return integer(int64(rank ^ 1<<63)).Value }), ok
}

func cutFloat(c ast.Value) (cut, bool) {
	f, ok := plainNumber(c)
	return cutAt(c, rankFloat(f), rankFloat(-math.MaxFloat64), rankFloat(math.MaxFloat64), func(rank uint64) ast.Value {
		if rank>>63 == 1 {
			return number(math.Float64frombits(rank &^ (1 << 63))).Value
		}
		return number(math.Float64frombits(^rank)).Value
	}), ok
}

// plainNumber is a constant's value, !ok where it is no number to cut at.
func plainNumber(c ast.Value) (f float64, ok bool) {
	n, ok := c.(ast.Number)
	f, err := json.Number(n).Float64()
	return f, ok && len(n) <= digits && err == nil && finite(f)
}

// cutAt searches the ranks from least to most, near one first: the comparisons
// of very small and very large numbers take OPA long.
func cutAt(c ast.Value, near, least, most uint64, value func(rank uint64) ast.Value) cut {
	if n := max(near, least+4) - 4; value(n).Compare(c) < 0 {
		least = n
	}
	if n := min(near, most-4) + 4; value(n).Compare(c) > 0 {
		most = n
	}
	first := func(sign int) uint64 { // the first number that compares so at least
		lo, hi := least, most+1
		for lo < hi {
			if mid := lo + (hi-lo)/2; value(mid).Compare(c) >= sign {
				hi = mid
			} else {
				lo = mid + 1
			}
		}
		if lo > most {
			return math.MaxUint64
		}
		return lo
	}
	return cut{notBelow: first(0), above: first(1)}
}

// match is a test of a string.
type match struct {
	how     how
	with    string
	bytes   []byte          // with, for infix
	set     map[string]byte // for among: what a string found here comes out as
	pattern *regexp.Regexp
}

type how uint8

const (
	same how = iota
	order
	prefix
	suffix
	infix
	among
	pattern
)

// of is how the test of s comes out. None of the conversions allocates: they
// are compared, looked up, or go no further than the call.
func (m *match) of(s []byte) byte {
	switch m.how {
	case same:
		return truth(string(s) == m.with)
	case order:
		switch {
		case string(s) < m.with:
			return below
		case string(s) == m.with:
			return equal
		}
		return above
	case prefix:
		return truth(len(s) >= len(m.with) && string(s[:len(m.with)]) == m.with)
	case suffix:
		return truth(len(s) >= len(m.with) && string(s[len(s)-len(m.with):]) == m.with)
	case infix:
		return truth(bytes.Contains(s, m.bytes))
	case pattern:
		return truth(m.pattern.Match(s))
	}
	return m.set[string(s)]
}

// inside is how OPA's net.cidr_contains comes out: it does not read an address
// with a zone.
func inside(n *net.IPNet, a netip.Addr) byte {
	if a.Zone() != "" {
		return 2
	}
	ip := a.As16()
	return truth(n.Contains(ip[:]))
}

func truth(b bool) byte {
	if b {
		return 1
	}
	return 0
}

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

var matches = map[string]how{"startswith": prefix, "endswith": suffix, "contains": infix}
