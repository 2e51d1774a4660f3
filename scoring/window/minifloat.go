package window

import "math/bits"

// Minifloat is an unsigned integer of up to 63 bits in sixteen: six bits of
// exponent e above ten of mantissa m.
//
//	e = 0: m                        0 to 1,023 exactly
//	e > 0: (1024+m) << (e-1)        a step is 1/1024 to 1/2048 of the value
//
// So integers up to 2,048 are exact and Encode is off by at most 1/2048
// (0.05 %). Order is kept: a < b as Minifloats exactly if as values.
type Minifloat uint16

// MaxMinifloat is the largest, 2047 << 52; sums saturate there.
const MaxMinifloat Minifloat = 53<<10 | 1023

// Encode returns the nearest Minifloat, halves up.
func Encode(v uint64) Minifloat {
	low, rest, step := floor(v)
	if rest*2 >= step && step > 1 {
		low++ // a full mantissa carries into the exponent: the next number all the same
	}
	return min(low, MaxMinifloat)
}

// Decode returns the value.
func (m Minifloat) Decode() uint64 {
	m = min(m, MaxMinifloat)
	e, mantissa := m>>10, uint64(m&1023)
	if e == 0 {
		return mantissa
	}
	return (1024 + mantissa) << (e - 1)
}

// Plus adds v. What is less than a step must not get lost, or a caller's sum
// stands still after some two thousand equal responses; nor may it be rounded
// up, or it runs ahead. There is no room to carry it, so it is rounded up in
// just the share of additions that it is of a step: by a Weyl sequence over
// turn, a number that counts up from one addition to the next (the record's
// count of requests), even over every regular subset of turns. That makes the
// result a function of the inputs alone, and the sum of any number of
// additions true to 0.4 % in the property test (0.1 % as a rule). It never
// decreases.
func (m Minifloat) Plus(v uint64, turn uint32) Minifloat {
	if v == 0 {
		return m
	}
	if v >= 1<<63 {
		return MaxMinifloat
	}
	low, rest, step := floor(m.Decode() + v)
	if rest > 0 {
		weyl := uint64(turn * 0x9E3779B9) // 2^32 / golden ratio: fractional part of turn/phi
		if hi, lo := bits.Mul64(step, weyl); lo>>32|hi<<32 < rest {
			low++
		}
	}
	return min(low, MaxMinifloat)
}

// floor returns the largest Minifloat not above v, what v is above it, and the
// distance to the next.
func floor(v uint64) (m Minifloat, rest, step uint64) {
	if v < 1024 {
		return Minifloat(v), 0, 1
	}
	shift := bits.Len64(v) - 11
	step = 1 << shift
	return Minifloat(shift+1)<<10 | Minifloat(v>>shift&1023), v & (step - 1), step
}

// AddValue adds v to the bucket of now in a ring of Minifloats. See Plus for
// turn.
func AddValue(ring []uint16, width, now uint32, v uint64, turn uint32) {
	p := &ring[slot(ring, width, now)]
	*p = uint16(Minifloat(*p).Plus(v, turn))
}

// CurrentValue is Current for a ring of Minifloats.
func CurrentValue(ring []uint16, width, now uint32) float64 {
	return float64(Minifloat(ring[slot(ring, width, now)]).Decode())
}

// SlidingValue is Sliding for a ring of Minifloats.
func SlidingValue(ring []uint16, width, now uint32) float64 {
	current, previous, weight := pair(ring, width, now)
	return float64(Minifloat(current).Decode()) + float64(Minifloat(previous).Decode())*weight
}

// SumValues is Sum for a ring of Minifloats.
func SumValues(ring []uint16) float64 {
	sum := 0.0
	for _, v := range ring {
		sum += float64(Minifloat(v).Decode())
	}
	return sum
}

// ClosedValue is Closed for a ring of Minifloats.
func ClosedValue(ring []uint16, width, last, now uint32) (value float64, ok bool) {
	if Passed(width, last, now) == 0 {
		return 0, false
	}
	return CurrentValue(ring, width, last), true
}
