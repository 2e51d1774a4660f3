package calibrate

import (
	"math"
	"math/bits"
)

const (
	// MaxScore bounds every score: beyond 10^-12 no model of ours means anything.
	MaxScore = 12

	// Threshold is where a score counts as anomalous until a controller moves it.
	Threshold = 4

	log10of2 = math.Log10E * math.Ln2
)

// Uncalibrated takes the detectors at their word:
//
//	score = max_i S_i log10 2 - log10 k
//
// the Bonferroni bound over the k detectors that ran. It holds however they
// depend on each other, and it is what a table that is not there costs: real
// traffic has heavier tails than any formula, so it errs towards alarms where
// the formulas do. It has no state and is safe for concurrent use.
type Uncalibrated struct{}

// Score judges the surprises of all detectors that ran. It is monotone in each
// of them.
func (Uncalibrated) Score(_ *Who, s *Surprises) Verdict {
	return Verdict{Score: uncalibrated(s), Threshold: Threshold}
}

// Limit is the surprise in bits at which one detector, asked with those that
// ran, reaches the threshold alone.
func (Uncalibrated) Limit(_ *Who, s *Surprises, d int) float64 {
	k := s.Questions
	if !s.Has(d) {
		k++
	}
	return (Threshold + log10(max(k, 1))) / log10of2
}

// Observe learns nothing.
func (Uncalibrated) Observe(*Who, *Surprises, *Outcome) (slow float64) { return 0 }

// Forget has nothing to forget.
func (Uncalibrated) Forget(_, _ uint64) {}

func uncalibrated(s *Surprises) float64 {
	most := 0.0
	for ran := s.Ran; ran != 0; ran &= ran - 1 {
		most = max(most, s.Held[bits.TrailingZeros32(ran)]) // keeps a NaN, which is caught below
	}
	if s.Questions == 0 || math.IsNaN(most) {
		return 0
	}
	return min(max(most*log10of2-log10(s.Questions), 0), MaxScore)
}

// log10s holds the logarithms of as many detectors as are ever likely to run.
var log10s = func() (l [32]float64) {
	for k := range l {
		l[k] = math.Log10(float64(k))
	}
	return l
}()

func log10(k int) float64 {
	if k < len(log10s) {
		return log10s[k]
	}
	return math.Log10(float64(k))
}
