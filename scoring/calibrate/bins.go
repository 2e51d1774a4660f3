package calibrate

import (
	"math"

	"github.com/wonted-project/wonted/scoring/window"
)

// Surprises are counted in bins: of 1/8 bit up to 16, of 1/4 up to 32, of 1/2
// up to 64, where the last one is open. So a bin is a byte.
const bins = 256

// lowerBits are the bins' lower edges; the last one closes the table.
var lowerBits = func() (l [bins + 1]float64) {
	for b := range l {
		switch {
		case b < 128:
			l[b] = float64(b) / 8
		case b < 192:
			l[b] = 16 + float64(b-128)/4
		default:
			l[b] = 32 + float64(b-192)/2
		}
	}
	return l
}()

// binOf is the bin of so many bits; that of NaN is 0.
func binOf(bits float64) int {
	if !(bits > 0) {
		return 0
	}
	if bits >= 64 {
		return bins - 1
	}
	x := int(bits * 8)
	switch {
	case x < 128:
		return x
	case x < 256:
		return 128 + (x-128)/2
	}
	return 192 + (x-256)/4
}

// Sums of e-values are counted by log2 in bins of 1/16, from 1/2 on, which is
// the least that a detector adds. The last one is beyond what all of them can.
const sumBins = 448

var lowerSums = func() (l [sumBins + 1]float64) {
	for b := range l {
		l[b] = float64(b)/16 - 1
	}
	return l
}()

// leastSums are the same edges as sums.
var leastSums = func() (l [sumBins]float64) {
	for b := range l {
		l[b] = math.Exp2(lowerSums[b])
	}
	return l
}()

func sumBin(sum float64) int {
	if !(sum > 0.5) {
		return 0
	}
	return min(int((window.Log2(sum)+1)*16), sumBins-1)
}

// mostBits is the most that a calibrated surprise can be: that of MaxScore.
const mostBits = MaxScore / log10of2

// evalue makes an e-value of a p-value: of all e = k p^(k-1) the one of k = 1/2,
// whose mean is 1 where p is uniform (Vovk and Wang 2021).
func evalue(bits float64) float64 { return math.Exp2(min(bits, attested)/2) / 2 }

// attested is one window in 10^8: no cell has seen windows enough to tell more.
const attested = 8 / log10of2

// modelEvalues take the model at its word: what counts where there is no table.
var modelEvalues = func() (e [bins]float32) {
	for b := range e {
		e[b] = float32(evalue(lowerBits[b]))
	}
	return e
}()
