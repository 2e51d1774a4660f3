package scoring

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// exactCount is P(X >= k) of the negative binomial by summing its upper tail.
func exactCount(k int, m, r float64) float64 {
	logP := func(i float64) float64 {
		a, _ := math.Lgamma(i + r)
		b, _ := math.Lgamma(r)
		c, _ := math.Lgamma(i + 1)
		return a - b - c + r*math.Log(r/(m+r)) + i*math.Log(m/(m+r))
	}
	sum := 0.0
	p := math.Exp(logP(float64(k)))
	for i := k; ; i++ { // the next term by the ratio of two
		sum += p
		if float64(i) > m && p <= sum*1e-9 {
			return sum
		}
		p *= (float64(i) + r) / float64(i+1) * m / (m + r)
	}
}

// The approximation stays within a factor of two (log10 error 0.3) of the exact
// tail wherever it is used: p from 0.1 down to 1e-12.
func TestCountBitsAgainstExactSums(t *testing.T) {
	worst, cases := 0.0, 0
	for _, r := range []float64{0.3, 0.5, 1, 2, 6, 20, 100} {
		for _, m := range []float64{0.1, 0.5, 1, 3, 10, 30, 100} {
			for k := 1; k < 1500; k += 1 + k/10 {
				p := exactCount(k, m, r)
				if p > 0.1 || p < 1e-12 || float64(k) <= m+1 {
					continue
				}
				cases++
				if e := math.Abs(countBits(float64(k), m, r)*log10of2 + math.Log10(p)); e > worst {
					worst = e
				}
			}
		}
	}
	t.Logf("worst log10 error %.3f over %d cases", worst, cases)
	if worst > 0.3 || cases < 500 {
		t.Errorf("worst log10 error %.3f over %d cases", worst, cases)
	}
}

func TestNormalBitsAgainstErfc(t *testing.T) {
	for z := 0.01; z < 30; z += 0.01 {
		want := -math.Log2(math.Erfc(z/math.Sqrt2) / 2)
		if got := normalBits(z); math.Abs(got-want) > 0.005 {
			t.Fatalf("z = %v: %v bits, want %v", z, got, want)
		}
	}
}

// Wallace's transformation is within 0.05 in log10 for the degrees that occur.
func TestStudentBitsAgainstIntegral(t *testing.T) {
	for _, nu := range []float64{3, 5, 8} {
		a, _ := math.Lgamma((nu + 1) / 2)
		b, _ := math.Lgamma(nu / 2)
		c := math.Exp(a-b) / math.Sqrt(nu*math.Pi)
		for _, q := range []float64{0.5, 1, 3, 8, 20} {
			// By x = q/s the tail becomes an integral over (0, 1].
			sum, steps := 0.0, 200_000
			for i := range steps {
				s := (float64(i) + 0.5) / float64(steps)
				x := q / s
				sum += c * math.Pow(1+x*x/nu, -(nu+1)/2) * q / (s * s) / float64(steps)
			}
			if got, want := studentBits(q, nu)*log10of2, -math.Log10(sum); math.Abs(got-want) > 0.06*max(1, want) {
				t.Errorf("nu %v, t %v: %v, want %v", nu, q, got, want)
			}
		}
	}
}

func TestTailsAreMonotoneAndFinite(t *testing.T) {
	any := rapid.OneOf(rapid.Float64(), rapid.Float64Range(0, 1000), rapid.SampledFrom([]float64{0, math.Inf(1), math.Inf(-1), math.NaN(), -1, 1e-300, 1e300}))
	rapid.Check(t, func(t *rapid.T) {
		a, b, x, y := any.Draw(t, "a"), any.Draw(t, "b"), any.Draw(t, "x"), any.Draw(t, "y")
		nu := rapid.Float64Range(3, 33).Draw(t, "nu")
		f := func(what string, more, less float64) {
			if math.IsNaN(more) || math.IsInf(more, 0) || more < ordinary {
				t.Fatalf("%s: %v bits", what, more)
			}
			if a >= b && more < less {
				t.Fatalf("%s: %v bits at %v, but %v at %v (%v, %v)", what, more, a, less, b, x, y)
			}
		}
		f("normal", normalBits(a), normalBits(b))
		f("count", countBits(a, x, y), countBits(b, x, y))
		f("student", studentBits(a, nu), studentBits(b, nu))
	})
}

// Within the range of counts the grid is fine enough to see any dent, above
// all near the mean where the formula is cut off.
func TestCountBitsIsMonotoneEverywhere(t *testing.T) {
	for _, r := range []float64{0.05, 0.3, 1, 6, 100, 1e4} {
		for _, m := range []float64{0.1, 0.4999, 0.5, 0.50001, 1, 2.5, 17, 1000, 1e6} {
			last := 0.0
			for step := range 4000 {
				k := m * (0.9 + float64(step)*float64(step)*1e-5)
				s := countBits(k, m, r)
				if s < last || math.IsNaN(s) {
					t.Fatalf("m %v, r %v: %v bits at k = %v after %v", m, r, s, k, last)
				}
				last = s
			}
		}
	}
}

func TestQuantilesInvertTails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.Float64Range(1.01, 80).Draw(t, "bits")
		nu := rapid.Float64Range(3, 33).Draw(t, "nu")
		if got := normalBits(normalQuantile(bits)); math.Abs(got-bits) > 1e-3 {
			t.Fatalf("normal: %v bits, want %v", got, bits)
		}
		if got := studentBits(studentQuantile(normalQuantile(bits), nu), nu); math.Abs(got-bits) > 1e-3 {
			t.Fatalf("student: %v bits, want %v", got, bits)
		}
	})
	if z := normalQuantile(ordinary); z != 0 {
		t.Errorf("an ordinary surprise at z = %v", z)
	}
}
