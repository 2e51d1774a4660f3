package window

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Add counts the value that hashes to h, if it was not yet, and says whether its
// cell was empty.
func (l *Linear) Add(h uint64) (fresh bool) {
	bit := mix(h) & 63
	fresh = l[bit/8]>>(bit%8)&1 == 0
	l[bit/8] |= 1 << (bit % 8)
	return fresh
}

// Has says whether the value that hashes to h may have been added: it is wrong
// about one that was not as often as cells are taken.
func (l *Linear) Has(h uint64) bool {
	bit := mix(h) & 63
	return l[bit/8]>>(bit%8)&1 == 1
}

// Estimate is about how many distinct values were added, by linear counting
// (Whang et al. 1990): -64 ln(empty/64), which is within a tenth up to 60. It is
// 64 ln 128 = 311 at most.
func (l *Linear) Estimate() float64 {
	return linear[bits.OnesCount64(binary.LittleEndian.Uint64(l[:]))]
}

// linear are the estimates by cells that are not empty.
var linear = func() (e [65]float64) {
	for n := range e {
		e[n] = -64 * math.Log(max(64-float64(n), 0.5)/64)
	}
	return e
}()
