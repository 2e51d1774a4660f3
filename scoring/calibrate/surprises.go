package calibrate

import (
	"math"
	"math/bits"
)

// MaxDetectors is how many detectors can be told apart.
const MaxDetectors = 32

// Surprises are what the detectors found in one exchange so far, in bits, by
// detector. What did not run counts for nothing.
type Surprises struct {
	Ran       uint32 // a bit for each detector that had something to judge
	Questions int    // how many of them Uncalibrated pays for

	// Raw is what the model says. Held is the same held back where the model
	// alone must not alarm: it counts until peers say how rare Raw really is.
	Raw, Held [MaxDetectors]float64

	// Evalues are filled in by Score, for those that ran: how much each one adds
	// to Sum. Sum is 0 while there are no tables.
	Evalues [MaxDetectors]float32
	Sum     float64
}

// Reset makes it one of nothing. The rest is written before it is read.
func (s *Surprises) Reset() { s.Ran, s.Questions, s.Sum = 0, 0, 0 }

// Run notes that detector d had something to judge, of bits surprise at the
// least.
func (s *Surprises) Run(d int, bits float64) {
	s.Ran |= 1 << d
	s.Raw[d], s.Held[d] = bits, bits
}

// Has says whether detector d ran.
func (s *Surprises) Has(d int) bool { return s.Ran>>d&1 == 1 }

// Who is judged: whom it is compared with, and by what it is recognised.
type Who struct {
	Key    uint64 // a keyed hash of the identity; 0 is nobody
	Now    uint32 // seconds since the epoch
	Cohort uint8
	Level  uint8     // of maturity, 0 the least
	Places [3]uint64 // network, device and route it came by, where several that alarm may meet; 0: none
}

// Verdict is what the surprises come to.
type Verdict struct {
	Score     float64 // -log10 p, 0 to MaxScore
	Threshold float64
	Sum       float64 // of the e-values, where they made the score; 0: the model did
}

// Outcome is what became of an exchange.
type Outcome struct {
	Accepted bool    // the upstream did, and so may be learned from
	Score    float64 // the most it came to
	Alarm    bool    // Score reached the threshold
}

// top is the detector that adds most, or that the model finds most surprised.
func (s *Surprises) top() int {
	most, top := math.Inf(-1), 0
	for ran := s.Ran; ran != 0; ran &= ran - 1 {
		d := bits.TrailingZeros32(ran)
		v := s.Held[d]
		if s.Sum > 0 {
			v = float64(s.Evalues[d])
		}
		if v > most {
			most, top = v, d
		}
	}
	return top
}
