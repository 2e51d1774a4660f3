package window

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*max(1, math.Abs(a), math.Abs(b))
}

func TestMomentsAgainstTwoPasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Float64Range(-50, 50), 1, 200).Draw(t, "xs")
		ws := rapid.SliceOfN(rapid.Float64Range(0.01, 1), len(xs), len(xs)).Draw(t, "ws")
		var m Moments
		n, mean, variance := 0.0, 0.0, 0.0
		for i, x := range xs {
			m.Add(x, ws[i])
			n += ws[i]
			mean += ws[i] * x
		}
		mean /= n
		for i, x := range xs {
			variance += ws[i] * (x - mean) * (x - mean) / n
		}
		if !near(float64(m.N), n, 1e-4) || !near(float64(m.Mean), mean, 1e-4) || !near(m.Var(), variance, 1e-3) {
			t.Fatalf("%+v var %v, want n %v mean %v var %v", m, m.Var(), n, mean, variance)
		}
		before := m
		m.Decay(0.5)
		if m.Mean != before.Mean || !near(m.Var(), before.Var(), 1e-5) || !near(float64(m.N), n/2, 1e-4) {
			t.Fatalf("Decay made %+v of %+v", m, before)
		}
	})
}

func TestMomentsMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Float64Range(-50, 50), 0, 100).Draw(t, "xs")
		cut := rapid.IntRange(0, len(xs)).Draw(t, "cut")
		var a, b, whole Moments
		for i, x := range xs {
			whole.Add(x, 1)
			if i < cut {
				a.Add(x, 1)
			} else {
				b.Add(x, 1)
			}
		}
		ab, ba := a, b
		ab.Merge(b)
		ba.Merge(a)
		if ab != ba {
			t.Fatalf("a+b = %+v, b+a = %+v", ab, ba)
		}
		if ab.N != whole.N || !near(float64(ab.Mean), float64(whole.Mean), 1e-4) || !near(ab.Var(), whole.Var(), 1e-3) {
			t.Fatalf("in parts %+v, whole %+v", ab, whole)
		}
	})
}

// The first value has no spread, whatever its weight.
func TestMomentsOfOneValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Moments
		m.Add(rapid.Float64Range(-50, 50).Draw(t, "x"), rapid.Float64Range(1e-9, 1).Draw(t, "weight"))
		if m.M2 != 0 {
			t.Fatalf("%+v", m)
		}
	})
}

func TestMomentsIgnoreNoWeight(t *testing.T) {
	for _, w := range []float64{0, -1, math.NaN()} {
		m := Moments{3, 4, 5}
		if m.Add(100, w); m != (Moments{3, 4, 5}) {
			t.Errorf("weight %v made %+v", w, m)
		}
	}
	if v := (&Moments{}).Var(); v != 0 {
		t.Errorf("the variance of nothing is %v", v)
	}
}

func TestLog2(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := math.Exp2(rapid.Float64Range(-1000, 1000).Draw(t, "exponent"))
		if got, want := Log2(x), math.Log2(x); math.Abs(got-want) > 1e-8 {
			t.Fatalf("Log2(%v) = %v, want %v", x, got, want)
		}
	})
	for e := range 63 {
		if got := Log2(float64(uint64(1) << e)); got != float64(e) {
			t.Errorf("Log2(2^%d) = %v", e, got)
		}
	}
	for _, x := range []float64{0, -1, math.NaN(), math.Inf(1), math.SmallestNonzeroFloat64} {
		Log2(x) // no panic
	}
}

func BenchmarkLog2(b *testing.B) {
	x, sum := 1.0, 0.0
	for b.Loop() {
		sum += Log2(x)
		x += 1.5
	}
	_ = sum
}
