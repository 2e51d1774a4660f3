package rego

import (
	"encoding/json"
	"math"

	"github.com/open-policy-agent/opa/v1/ast"
)

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
