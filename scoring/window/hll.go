package window

import (
	"math"
	"math/bits"
)

const (
	hllRegisters = 32
	hllAlpha     = 0.697 // bias for 32 registers (Flajolet et al. 2007)
)

// Add counts the value that hashes to h, if it was not yet.
func (l *HLL) Add(h uint64) {
	h = mix(h)
	i := int(h >> 59)
	rank := uint8(min(bits.LeadingZeros64(h<<5)+1, 60)) // 59 bits are left, a register holds 63
	if rank > l.register(i) {
		l.setRegister(i, rank)
	}
}

// Estimate is about how many distinct values were added, with a standard error
// of 1.04/sqrt(32) = 18 %; up to some 80 it counts empty registers instead,
// which is nearer.
func (l *HLL) Estimate() float64 {
	sum, empty := 0.0, 0
	for i := range hllRegisters {
		r := l.register(i)
		sum += 1 / float64(uint64(1)<<r)
		if r == 0 {
			empty++
		}
	}
	e := hllAlpha * hllRegisters * hllRegisters / sum
	if e <= 2.5*hllRegisters && empty > 0 {
		return hllRegisters * math.Log(hllRegisters/float64(empty))
	}
	return e
}

// Merge makes l the sketch of both sets together.
func (l *HLL) Merge(o *HLL) {
	for i := range hllRegisters {
		if r := o.register(i); r > l.register(i) {
			l.setRegister(i, r)
		}
	}
}

// Registers lie four to three bytes, the first in the low six bits.

func (l *HLL) register(i int) uint8 {
	b := i / 4 * 3
	w := uint32(l[b]) | uint32(l[b+1])<<8 | uint32(l[b+2])<<16
	return uint8(w >> (i % 4 * 6) & 63)
}

func (l *HLL) setRegister(i int, r uint8) {
	b, shift := i/4*3, i%4*6
	w := uint32(l[b]) | uint32(l[b+1])<<8 | uint32(l[b+2])<<16
	w = w&^(63<<shift) | uint32(r)<<shift
	l[b], l[b+1], l[b+2] = byte(w), byte(w>>8), byte(w>>16)
}
