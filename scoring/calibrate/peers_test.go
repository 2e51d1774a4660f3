package calibrate

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// crowd plays identities whose detectors find what a formula with wrong tails
// finds: some overclaim, some depend on each other, some hardly ever run.
type crowd struct {
	rng   *rand.Rand
	peers Calibrator
	now   uint32
	odd   func(id int, d int) float64 // bits on top; nil: none
}

// Calibrator is what the scorer asks of this package.
type Calibrator interface {
	Score(*Who, *Surprises) Verdict
	Limit(*Who, *Surprises, int) float64
	Observe(*Who, *Surprises, *Outcome) float64
}

const crowdDetectors = 8

var crowdNames = []string{"a", "b", "c", "d", "e", "f", "g", "h"}

// find are one exchange's surprises.
func (c *crowd) find(id int, s *Surprises) {
	s.Reset()
	common := c.rng.ExpFloat64()
	for d := range crowdDetectors {
		x := c.rng.ExpFloat64() / math.Ln2 // bits of a uniform p
		switch d {
		case 1: // twice as much as it should
			x *= 2
		case 2: // a heavy tail
			x = 4 * (math.Pow(1-c.rng.Float64(), -0.2) - 1) / 0.2
		case 3, 4: // the same thing seen twice
			x = common / math.Ln2
		case 5: // a step: new, or not
			x = 0.5
			if c.rng.Float64() < 0.01 {
				x = 6.6
			}
		case 6: // seldom asked
			if c.rng.IntN(50) > 0 {
				continue
			}
		}
		if c.odd != nil {
			x += c.odd(id, d)
		}
		s.Run(d, max(x, 0.5))
		s.Questions++
	}
}

func hash(id int) uint64 {
	h := (uint64(id) + 1) * 0x9E37_79B9_7F4A_7C15
	return (h ^ h>>31) * 0xBF58_476D_1CE4_E5B9
}

// day plays one day: windows of three exchanges each. note is told the most that
// each window came to.
func (c *crowd) day(identities, windows int, level uint8, note func(id int, score, threshold float64, alarm bool)) {
	var s Surprises
	for range windows {
		for id := range identities {
			w := Who{Key: hash(id), Cohort: uint8(1 + id%2), Level: level, Now: c.now + uint32(id%500)}
			most, threshold, alarm := 0.0, 0.0, false
			for range 3 {
				c.find(id, &s)
				v := c.peers.Score(&w, &s)
				most, threshold, alarm = max(most, v.Score), v.Threshold, alarm || v.Score >= v.Threshold
				c.peers.Observe(&w, &s, &Outcome{Accepted: true, Score: v.Score, Alarm: v.Score >= v.Threshold})
			}
			if note != nil {
				note(id, most, threshold, alarm)
			}
		}
		c.now += 86400 / uint32(windows) / 600 * 600
	}
	c.now = (c.now + 86399) / 86400 * 86400
}

func newCrowd(seed uint64, peers Calibrator) *crowd {
	return &crowd{rng: rand.New(rand.NewPCG(seed, 1)), peers: peers, now: 20000 * 86400}
}

func newPeers() *Peers {
	return New(Config{Detectors: crowdNames, Slow: []int{0, 1}, Budget: Budget{PerIdentityDay: 0.001, PerDay: 50}})
}

// Whatever the detectors claim, a score of s is reached by 10^-s of the windows.
func TestScoresAreWhatTheySay(t *testing.T) {
	p := newPeers()
	c := newCrowd(1, p)
	for range 5 {
		c.day(1000, 20, 2, nil)
	}
	n, beyond := 0, [6]int{}
	for range 15 {
		c.day(1000, 20, 2, func(_ int, score, _ float64, _ bool) {
			n++
			for s := 1; s < len(beyond); s++ {
				if score >= float64(s) {
					beyond[s]++
				}
			}
		})
	}
	for s := 1; s < len(beyond); s++ {
		expected := math.Pow(10, -float64(s)) * float64(n)
		t.Logf("score %d: %d of %d windows, observed/nominal %.2f", s, beyond[s], n, float64(beyond[s])/expected)
		if got := float64(beyond[s]); got > 1.3*expected+3*math.Sqrt(expected) || got < 0.5*expected-3*math.Sqrt(expected) {
			t.Errorf("score %d: %v windows where %.0f are nominal", s, got, expected)
		}
	}
	st := p.Stats()
	t.Logf("mean e %.3f, thresholds %v, %+v", st.MeanE, st.Thresholds, st.Realised)
	if st.MeanE > 1.05 || st.MeanE < 0.5 {
		t.Errorf("the mean e-value is %.3f", st.MeanE)
	}
	for _, d := range st.Detectors {
		t.Logf("%s: ran %d, fired %v, mean e %.3f", d.Name, d.Ran, d.Fired, d.MeanE)
	}
}

// More surprise is never less score.
func TestPeersAreMonotone(t *testing.T) {
	p := newPeers()
	c := newCrowd(2, p)
	for range 2 {
		c.day(500, 20, 2, nil)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := &Surprises{}
		w := &Who{Key: 1, Now: c.now, Cohort: rapid.Uint8Range(0, 20).Draw(t, "cohort"), Level: rapid.Uint8Range(0, 4).Draw(t, "level")}
		for d := range crowdDetectors {
			s.Run(d, rapid.Float64Range(0, 70).Draw(t, "bits"))
		}
		before := p.Score(w, s).Score
		d := rapid.IntRange(0, crowdDetectors-1).Draw(t, "which")
		more := s.Raw[d] + rapid.Float64Range(0, 50).Draw(t, "more")
		s.Run(d, more)
		if after := p.Score(w, s).Score; after < before || after > MaxScore {
			t.Fatalf("%v after %v", after, before)
		}
	})
}

// The limit is where the score meets the threshold, or the detector's own p-value
// does, to within two bits.
func TestPeersLimit(t *testing.T) {
	p := newPeers()
	c := newCrowd(3, p)
	for range 3 {
		c.day(500, 20, 2, nil)
	}
	s := &Surprises{}
	for range 200 {
		w := &Who{Key: 1, Now: c.now, Cohort: 1, Level: 2}
		c.find(0, s)
		limit := func() float64 { p.Score(w, s); return p.Limit(w, s, 0) }()
		with := *s
		with.Run(0, max(limit, s.Raw[0]))
		if v := p.Score(w, &with); v.Score >= v.Threshold && limit > s.Raw[0] {
			t.Fatalf("score %v at the limit of %v bits, threshold %v", v.Score, limit, v.Threshold)
		}
		if limit > 60 {
			continue // nothing that one detector finds would do
		}
		with.Run(0, limit+2)
		if v := p.Score(w, &with); v.Score < v.Threshold && float64(with.Evalues[0]) < evalue(v.Threshold/log10of2) {
			t.Fatalf("score %v beyond the limit of %v bits, threshold %v", v.Score, limit, v.Threshold)
		}
	}
}
