package calibrate

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// asked are the surprises of the first detectors.
func asked(bits []float64) *Surprises {
	s := &Surprises{Questions: len(bits)}
	for d, b := range bits {
		s.Run(d, b)
	}
	return s
}

func TestScore(t *testing.T) {
	f := func(want float64, bits ...float64) {
		t.Helper()
		v := Uncalibrated{}.Score(nil, asked(bits))
		if math.Abs(v.Score-want) > 1e-9 || v.Threshold != Threshold {
			t.Errorf("%v: score %v, threshold %v; want %v, %v", bits, v.Score, v.Threshold, want, Threshold)
		}
	}
	f(0)
	f(0.5*log10of2, 0.5)
	f(0, 0.5, 0.5, 0.5)
	f(10*log10of2, 10)
	f(20*log10of2-1, 20, 1, 1, 1, 1, 1, 1, 1, 1, 1)
	f(12, 1e9)
	f(12, math.Inf(1), 3)
	f(0, math.NaN(), 3)
}

// The limit is exactly where the score meets the threshold.
func TestLimit(t *testing.T) {
	for k := 1; k <= 20; k++ {
		bits := make([]float64, k)
		bits[0] = Uncalibrated{}.Limit(nil, asked(bits[1:]), k)
		if v := (Uncalibrated{}).Score(nil, asked(bits)); math.Abs(v.Score-v.Threshold) > 1e-9 {
			t.Errorf("k = %d: score %v at the limit, want %v", k, v.Score, v.Threshold)
		}
	}
}

func TestScoreIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.SliceOfN(rapid.Float64Range(0, 100), 1, 8).Draw(t, "bits")
		before := Uncalibrated{}.Score(nil, asked(bits)).Score
		bits[rapid.IntRange(0, len(bits)-1).Draw(t, "which")] += rapid.Float64Range(0, 50).Draw(t, "more")
		if after := (Uncalibrated{}).Score(nil, asked(bits)).Score; after < before {
			t.Fatalf("more surprise, less score: %v then %v", before, after)
		}
	})
}
