package calibrate

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Far beyond what was seen the fit stays near the distribution that was drawn
// from, and does not promise more.
func TestTailAgainstExactDistributions(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 1))
	f := func(name string, n int, draw func() float64, bits func(x float64) float64) {
		t.Helper()
		counts, out := make([]float32, bins), make([]float64, bins)
		for range n {
			counts[binOf(draw())]++
		}
		calibrated(out, counts, lowerBits[:], modelTail)
		for _, s := range []float64{3, 6, 9, 12, 15, 18} { // 10^-5.4
			b := 0
			for b < bins-1 && bits(lowerBits[b]) < s {
				b++
			}
			want := bits(lowerBits[b])
			slack := 0.35 + 0.4*max(s-math.Log2(float64(n))+5, 0) // beyond what was seen
			if out[b] > want+slack || out[b] < want-2-slack {
				t.Errorf("%s, %d samples: %.1f bits where %.1f are exact", name, n, out[b], want)
			}
		}
		for b := 1; b < bins; b++ {
			if out[b] < out[b-1] || out[b] > mostBits || math.IsNaN(out[b]) {
				t.Fatalf("%s: bin %d has %v after %v", name, b, out[b], out[b-1])
			}
		}
	}
	for _, n := range []int{5_000, 50_000, 500_000} {
		f("as the model says", n, func() float64 { return rng.ExpFloat64() / math.Ln2 }, func(x float64) float64 { return x })
		f("twice as much", n, func() float64 { return 2 * rng.ExpFloat64() / math.Ln2 }, func(x float64) float64 { return x / 2 })
		f("heavy", n, func() float64 { return 3 * (math.Pow(1-rng.Float64(), -0.15) - 1) / 0.15 }, func(x float64) float64 {
			return math.Log2(1+0.15*x/3) / 0.15
		})
	}
	// Nothing, little, and one wild window are no reason to break.
	for _, counts := range [][]float32{make([]float32, bins), {5}, func() []float32 { c := make([]float32, bins); c[0], c[255] = 1000, 1; return c }()} {
		full := make([]float32, bins)
		copy(full, counts)
		out := make([]float64, bins)
		calibrated(out, full, lowerBits[:], modelTail)
		for b := range out {
			if math.IsNaN(out[b]) || out[b] < 0 || b > 0 && out[b] < out[b-1] {
				t.Fatalf("%v: %v", counts[:1], out)
			}
		}
	}
}
