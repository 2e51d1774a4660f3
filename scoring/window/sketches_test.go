package window

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// visits is the decayed count at an hour.
func (h *Hours) visits(hour int, weekend bool) float64 {
	return float64(h.Cells[day(weekend)][hour]) * float64(h.Scale)
}

func TestHours(t *testing.T) {
	var h Hours
	for range 8 {
		h.Add(0, false, 1)
	}
	h.Add(-1, false, 1) // around midnight
	h.Add(24, true, 1)
	f := func(hour int, weekend bool, want float64) {
		t.Helper()
		if got := h.visits(hour, weekend); got != want {
			t.Errorf("hour %d, weekend %v: %v, want %v", hour, weekend, got, want)
		}
	}
	f(0, false, 8)
	f(1, false, 0)
	f(23, false, 1)
	f(0, true, 1)
	h.Decay(0.5)
	f(0, false, 4)
	if got := h.Total(); got != 5 {
		t.Errorf("%v visits in all", got)
	}
	for range 40 {
		h.Decay(0.5)
	}
	if h != (Hours{}) {
		t.Errorf("faded: %+v", h)
	}
}

func TestHoursShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h Hours
		var truth [2][24]float64
		n := rapid.IntRange(1, 2000).Draw(t, "visits")
		busy := rapid.IntRange(0, 23).Draw(t, "busy")
		for i := range n {
			hour, weekend := busy, i%7 > 4
			if i%3 == 0 {
				hour = i % 24
			}
			before := h.visits(hour, weekend)
			h.Add(hour, weekend, 1)
			if h.visits(hour, weekend) <= before && h.Scale < hoursCoarsest {
				t.Fatalf("a visit at %d did not count", hour)
			}
			truth[day(weekend)][hour]++
		}
		for d := range truth {
			for hour := range 24 {
				share := truth[d][hour] / float64(n)
				if got := h.visits(hour, d == 1) / h.Total(); math.Abs(got-share) > 0.12 {
					t.Fatalf("share of hour %d is %v, want %v", hour, got, share)
				}
			}
		}
	})
}

func TestHoursTakeAnyWeight(t *testing.T) {
	for _, w := range []float64{math.Inf(1), 1e300, 128, 1e-300, 0, -1, math.NaN()} {
		for _, scale := range []float32{0, 1e-38, 1e-6, 1, 1e9} {
			h := Hours{Scale: scale}
			for i := range h.Cells[0] {
				h.Cells[0][i] = 255
			}
			h.Add(5, false, w) // ends, and
			if c := h.Total(); math.IsNaN(c) || math.IsInf(c, 0) {
				t.Errorf("weight %v at scale %v: total %v", w, scale, c)
			}
		}
	}
}

func TestBloom(t *testing.T) {
	var b Bloom
	if b.Has(1) {
		t.Error("an empty filter has something")
	}
	for i := range uint64(30) {
		b.Add(i)
	}
	for i := range uint64(30) {
		if !b.Has(i) || !b.Add(i) {
			t.Errorf("%d is forgotten", i)
		}
	}
}

// The last 20 objects are always remembered; an endless walk stays mostly new.
func TestBloomRotation(t *testing.T) {
	var b Bloom
	seen := 0
	const n = 100_000
	for i := range uint64(n) {
		if b.Add(i) {
			seen++
		}
		for j := range min(i, 20) {
			if !b.Has(i - j) {
				t.Fatalf("%d is forgotten at %d", i-j, i)
			}
		}
	}
	if share := float64(seen) / n; share > 0.10 {
		t.Errorf("%.1f %% of a walk over new objects were called seen", share*100)
	} else {
		t.Logf("%.1f %% of a walk over new objects were called seen", share*100)
	}
}

func TestHLL(t *testing.T) {
	if got := new(HLL).Estimate(); got != 0 {
		t.Errorf("nothing counts as %v", got)
	}
	for _, n := range []int{1, 5, 20, 100, 1000, 100_000} {
		bias, square := 0.0, 0.0
		const runs = 200
		for run := range runs {
			var l HLL
			for i := range n {
				l.Add(uint64(run)<<32 | uint64(i))
				if n <= 20 {
					l.Add(uint64(run)<<32 | uint64(i)) // once more counts once
				}
			}
			e := l.Estimate()/float64(n) - 1
			bias += e / runs
			square += e * e / runs
		}
		t.Logf("%7d distinct: bias %+.1f %%, error %.1f %%", n, bias*100, math.Sqrt(square)*100)
		if math.Abs(bias) > 0.08 || math.Sqrt(square) > 0.25 {
			t.Errorf("%d distinct: bias %+.1f %%, error %.1f %%", n, bias*100, math.Sqrt(square)*100)
		}
	}
}

func TestHLLMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a, b, whole HLL
		for _, x := range rapid.SliceOf(rapid.Uint64()).Draw(t, "a") {
			a.Add(x)
			whole.Add(x)
		}
		for _, x := range rapid.SliceOf(rapid.Uint64()).Draw(t, "b") {
			b.Add(x)
			whole.Add(x)
		}
		ab, ba := a, b
		ab.Merge(&b)
		ba.Merge(&a)
		again := ab
		again.Merge(&b)
		if ab != ba || ab != whole || again != ab {
			t.Fatalf("a+b %x, b+a %x, whole %x, a+b+b %x", ab, ba, whole, again)
		}
		if whole.Estimate() < a.Estimate() {
			t.Fatal("more values, smaller estimate")
		}
	})
}

func TestHLLOfAnything(t *testing.T) {
	var l HLL
	for i := range l {
		l[i] = 255
	}
	if e := l.Estimate(); math.IsNaN(e) || math.IsInf(e, 0) {
		t.Errorf("estimate %v", e)
	}
}

func TestSteps(t *testing.T) {
	var s Steps
	count := func(a, b int, want, all float64) {
		t.Helper()
		if c, n := s.Count(a, b); c != want || n != all {
			t.Errorf("%d to %d: %v of %v, want %v of %v", a, b, c, n, want, all)
		}
	}
	s.Add(1, 2)
	s.Add(15, 2)
	s.Add(2, 1)
	for range 3 {
		s.Add(1, 2)
	}
	count(1, 2, 3, 4) // the fourth halved three to two, and made three of it
	count(15, 2, 1, 4)
	count(2, 1, 1, 1)
	count(2, 2, 0, 4)
	if s.To(2) != 4 || s.To(3) != 0 {
		t.Errorf("to 2: %v, to 3: %v", s.To(2), s.To(3))
	}
	s.Forget(1)
	count(1, 2, 0, 1)
	count(2, 1, 0, 0)
	for a := range 16 {
		for b := range 16 {
			s = Steps{}
			s.Add(a, b)
			bits := 0
			for _, c := range s {
				bits += int(c&3 + c>>2&3 + c>>4&3 + c>>6)
			}
			if c, n := s.Count(a, b); c != 1 || n != 1 || bits != 1 {
				t.Fatalf("%d to %d: %v of %v, %d in all", a, b, c, n, bits)
			}
		}
	}
}

// Linear counting is within a tenth and two up to 60, and saturates.
func TestLinear(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 5, 20, 60} {
		sum := 0.0
		for range 200 {
			var l Linear
			for range n {
				h := rng.Uint64()
				l.Add(h)
				if l.Add(h) || !l.Has(h) {
					t.Fatal("the same twice is new twice")
				}
			}
			sum += l.Estimate() / 200
		}
		if math.Abs(sum-float64(n)) > 0.05*float64(n)+0.01 {
			t.Errorf("%d read %.1f in the mean", n, sum)
		}
	}
	var l Linear
	for h := range uint64(1000) {
		if l.Has(h) {
			t.Fatal("empty, it has something")
		}
	}
	for h := range uint64(5000) {
		l.Add(h)
	}
	if e := l.Estimate(); e < 200 || e > 400 {
		t.Errorf("5000 read %v", e)
	}
}

// Small moments follow the full ones through years of windows in which seldom
// anything happens.
func TestSmallMoments(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, mean := range []float64{0.01, 0.3, 4, 60} {
		var full Moments
		var small SmallMoments
		for range 20_000 {
			x := math.Floor(rng.ExpFloat64() * mean * 1.5)
			m := small.Moments()
			for _, m := range []*Moments{&full, &m} {
				m.Decay(math.Exp2(-1.0 / 300))
				m.Add(x, 1)
			}
			small = m.Small()
		}
		m := small.Moments()
		if math.Abs(float64(m.N-full.N)) > 0.1*float64(full.N) || math.Abs(float64(m.Mean-full.Mean)) > 0.1*float64(full.Mean)+0.01 ||
			math.Abs(m.Var()-full.Var()) > 0.2*full.Var()+0.02 {
			t.Errorf("mean %v: small %+v, full %+v", mean, m, full)
		}
	}
	n := Novelty{N: 20, New: 3}
	if got := n.Small().Novelty(); got != n {
		t.Errorf("%+v", got)
	}
	if got := (SmallNovelty{N: 1, New: 9}).Novelty(); got.New > got.N {
		t.Errorf("%+v", got)
	}
	nan := Moments{N: float32(math.NaN()), Mean: -1, M2: float32(math.Inf(-1))}
	if got := nan.Small(); got != (SmallMoments{}) {
		t.Errorf("%+v", got)
	}
}

func TestNoAllocs(t *testing.T) {
	ring := make([]uint16, 10)
	var m Moments
	slots, small := make(Slots, 6), make(SmallSlots, 16)
	var n Novelty
	var h Hours
	var b Bloom
	var l HLL
	var steps Steps
	var distinct Linear
	now := uint32(1 << 30)
	if a := testing.AllocsPerRun(1000, func() {
		last := now
		now += 7
		Advance(ring, 60, last, now)
		Add(ring, 60, now, 1)
		AddValue(ring, 60, now, 1000, now)
		Undo(ring, 60, now, now, 1)
		m.Add(Log2(Sliding(ring, 60, now)+SlidingValue(ring, 60, now)), 1)
		m.Decay(0.99)
		m.Merge(m)
		slots.Touch(now, 1)
		slots.Decay(0.99)
		small.Touch(uint16(now), 1)
		small.Decay(0.99)
		n.Observe(true, n.Ratio(0.1, 8))
		h.Add(int(now/3600), false, 1)
		b.Add(uint64(now))
		l.Add(uint64(now))
		l.Estimate()
		l.Merge(&l)
		steps.Add(int(now%16), 1)
		steps.Count(1, int(now%16))
		distinct.Add(uint64(now))
		distinct.Estimate()
		m = m.Small().Moments()
		b.Estimate()
	}); a != 0 {
		t.Errorf("%v allocations", a)
	}
}
