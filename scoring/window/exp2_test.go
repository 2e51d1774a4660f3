package window

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestExp2(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	check := func(x float64) {
		t.Helper()
		got, want := Exp2(x), math.Exp2(min(max(x, -1000), 1000))
		if !(math.Abs(got-want) <= 2e-11*want) {
			t.Errorf("2^%v = %v, want %v", x, got, want)
		}
	}
	for range 200_000 {
		check(rng.Float64()*140 - 70)
		check(rng.Float64()*2 - 1)
	}
	for i := -1000; i <= 1000; i++ {
		for _, f := range []float64{-0.5, -1e-9, 0, 1e-9, 0.25, 0.499999999} {
			check(float64(i) + f)
		}
		if got := Exp2(float64(i)); got != math.Exp2(float64(i)) {
			t.Errorf("2^%d = %v", i, got)
		}
	}
	for _, x := range []float64{math.Inf(1), math.Inf(-1), 1e300, -1e300} {
		check(x)
	}
	Exp2(math.NaN())
}

func BenchmarkExp2(b *testing.B) {
	x, sum := 0.0, 0.0
	b.Run("here", func(b *testing.B) {
		for b.Loop() {
			x += 0.37
			sum += Exp2(x)
			if x > 60 {
				x = 0
			}
		}
	})
	b.Run("math", func(b *testing.B) {
		for b.Loop() {
			x += 0.37
			sum += math.Exp2(x)
			if x > 60 {
				x = 0
			}
		}
	})
	if sum == 0 {
		b.Fatal(sum)
	}
}
