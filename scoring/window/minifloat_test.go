package window

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func TestMinifloat(t *testing.T) {
	for v := range uint64(4097) {
		if got := Encode(v).Decode(); got != v {
			t.Fatalf("%d becomes %d", v, got)
		}
	}
	f := func(v, want uint64) {
		t.Helper()
		if got := Encode(v).Decode(); got != want {
			t.Errorf("%d becomes %d, want %d", v, got, want)
		}
	}
	f(4097, 4098)
	f(8191, 8192) // a carry into the exponent
	f(1_000_000, 999_936)
	f(4096<<30-1, 4095<<30)
	f(math.MaxUint64, MaxMinifloat.Decode())
	f(1<<63, MaxMinifloat.Decode())
	if got := MaxMinifloat.Plus(math.MaxUint64, 0); got != MaxMinifloat {
		t.Errorf("the largest plus something is %d", got)
	}
}

func TestMinifloatOrderAndError(t *testing.T) {
	for m := Minifloat(0); m < MaxMinifloat; m++ {
		if a, b := m.Decode(), (m + 1).Decode(); a >= b || Encode(a) != m {
			t.Fatalf("%d is %d and re-encodes to %d; the next is %d", m, a, Encode(a), b)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Uint64Range(1, 4095<<30).Draw(t, "v")
		if got := float64(Encode(v).Decode()); math.Abs(got-float64(v)) > float64(v)/4096 {
			t.Fatalf("%d becomes %v", v, got)
		}
		m := Minifloat(rapid.Uint16().Draw(t, "m"))
		if got := m.Plus(v, rapid.Uint32().Draw(t, "turn")); got < m {
			t.Fatalf("%d + %d = %d", m, v, got)
		}
	})
}

// The sum of many additions is true, whatever the sizes and even when only
// every k-th turn adds: the case in which a plain float16 stands still.
func TestMinifloatSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Uint64Range(0, 1<<30).Draw(t, "first")
		mean := rapid.Float64Range(1, 1<<20).Draw(t, "mean")
		stride := rapid.Uint32Range(1, 9).Draw(t, "stride")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		turn := rng.Uint32()
		m, sum := Encode(first), float64(Encode(first).Decode())
		for range 20_000 {
			v := uint64(mean * rng.ExpFloat64())
			m = m.Plus(v, turn)
			sum += float64(v)
			turn += 1 + rng.Uint32N(stride)
		}
		if got := float64(m.Decode()); math.Abs(got-sum) > sum*0.06 {
			t.Fatalf("%v instead of %v (%+.2f %%)", got, sum, (got/sum-1)*100)
		}
	})
}

// Equal sizes at every k-th turn must not fall in step with the sequence.
func TestMinifloatRegularSums(t *testing.T) {
	worst := 0.0
	for stride := range uint32(40) {
		for _, v := range []uint64{1, 3, 10, 200, 1000, 4097} {
			m, turn := Minifloat(0), uint32(0)
			for range 50_000 {
				turn += stride + 1
				m = m.Plus(v, turn)
			}
			worst = max(worst, math.Abs(float64(m.Decode())/float64(50_000*v)-1))
		}
	}
	t.Logf("worst error %.2f %%", worst*100)
	if worst > 0.03 {
		t.Errorf("worst error %.2f %%", worst*100)
	}
}

func TestValueRings(t *testing.T) {
	ring := make([]uint16, 3)
	AddValue(ring, 60, 60, 1<<20, 0)
	AddValue(ring, 60, 120, 512, 1)
	if got := CurrentValue(ring, 60, 130); got != 512 {
		t.Errorf("CurrentValue = %v", got)
	}
	if got := SlidingValue(ring, 60, 150); got != 512+1<<19 {
		t.Errorf("SlidingValue = %v", got)
	}
}
