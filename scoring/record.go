package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/window"
)

// record is the largest that a volume of ten minutes has been, of about n, and
// how surprising it is to break it. The logarithm's Student-t alone is too
// generous upwards: a day's half-empty windows widen its spread on both sides,
// and a thief who takes a page at a time would get a hundred times the usual.
//
// Of n alike the next one exceeds c times the largest with a chance of about
//
//	p = 1/(n c^3)
//
// where the tail falls no slower than the cube. A campaign of three times the
// largest, a monthly batch of six times, stay under 10^-4 with eight detectors.
type record struct{ n, largest float64 }

const (
	tailIndex   = 3.0
	mostWindows = 64.0 // more windows than that are not independent of each other
)

// known: there have been windows enough for their largest to mean something.
func (r record) known() bool { return r.n >= shrinkage && r.largest > 0 }

func (r record) alike() float64 { return math.Log2(min(r.n, mostWindows)) }

// bits is the surprise of v, monotone in it.
func (r record) bits(v float64) float64 {
	if !r.known() || v <= r.largest {
		return ordinary
	}
	return max(ordinary, r.alike()+tailIndex*window.Log2(v/r.largest))
}

// most is the largest volume whose surprise stays within limit bits.
func (r record) most(limit float64) float64 {
	if !r.known() {
		return math.MaxInt64
	}
	return r.largest * window.Exp2((limit-r.alike())/tailIndex)
}
