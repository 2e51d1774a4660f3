package window

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func TestOverlay(t *testing.T) {
	a, b := []uint16{1, 65_535, 40_000}, []uint16{2, 1, 40_000}
	Overlay(a, b)
	if a[0] != 3 || a[1] != 65_535 || a[2] != 65_535 {
		t.Error(a)
	}
	v, w := []uint16{uint16(Encode(5000)), uint16(MaxMinifloat)}, []uint16{uint16(Encode(3000)), 1}
	OverlayValues(v, w)
	if got := Minifloat(v[0]).Decode(); got != 8000 || v[1] != uint16(MaxMinifloat) {
		t.Error(v)
	}
}

// A value's weight is never less than what both counted of it, and exceeds it by
// no more than the lightest of a summary that is full and lacks it.
func TestSlotsMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (s Slots, small SmallSlots, exact map[uint32]float64) {
			s, small, exact = make(Slots, 6), make(SmallSlots, 6), map[uint32]float64{}
			for _, id := range rapid.SliceOfN(rapid.Uint32Range(1, 9), 0, 60).Draw(t, name) {
				s.Touch(id, 1)
				small.Touch(uint16(id), 1)
				exact[id]++
			}
			return s, small, exact
		}
		a, smallA, inA := draw("a")
		b, smallB, inB := draw("b")
		ab, ba := append(Slots{}, a...), append(Slots{}, b...)
		ab.Merge(b, 0)
		ba.Merge(a, 0)
		smallA.Merge(smallB, 0)
		for i, e := range ab {
			if e != ba[i] {
				t.Fatalf("a+b %v, b+a %v", ab, ba)
			}
			if smallA[i].Count() != float64(e.Weight) || uint32(smallA[i].ID) != e.ID {
				t.Fatalf("small %v, wide %v", smallA, ab)
			}
			over := float64(e.Weight) - inA[e.ID] - inB[e.ID]
			if e.Weight > 0 && (over < 0 || over > a.lightest()+b.lightest()) {
				t.Fatalf("%d weighs %v, was drawn %v and %v times (%v, %v)", e.ID, e.Weight, inA[e.ID], inB[e.ID], a, b)
			}
		}
		for id := range inA { // what is left out is no heavier than what is not
			if n := inA[id] + inB[id]; ab.Weight(id) == 0 && n > ab.lightest() {
				t.Fatalf("%d, drawn %v times, is left out of %v", id, n, ab)
			}
		}
	})
}

// What is counted once a session by both replicas is counted once.
func TestMergeOfTheSameSessions(t *testing.T) {
	a, b := Slots{{7, 10}, {}}, Slots{{7, 8}, {8, 2}}
	a.Merge(b, 1)
	if a[0] != (Slot{7, 10}) || a[1] != (Slot{8, 2}) {
		t.Error(a)
	}
	n := Novelty{N: 10, New: 1}
	if n.Merge(Novelty{N: 8, New: 3}, 1); n != (Novelty{N: 10, New: 3}) {
		t.Error(n)
	}
	if n.Merge(Novelty{N: 8, New: 3}, 0); n != (Novelty{N: 18, New: 6}) {
		t.Error(n)
	}
}

func TestHoursMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var a, b, whole Hours
		for range rng.IntN(400) {
			hour, weekend := rng.IntN(24), rng.IntN(3) == 0
			for _, h := range []*Hours{&a, &b}[rng.IntN(2):][:1] {
				h.Decay(0.998)
				h.Add(hour, weekend, 1)
			}
			whole.Add(hour, weekend, 1)
		}
		ab, ba := a, b
		ab.Merge(&b, 0)
		ba.Merge(&a, 0)
		if ab != ba {
			t.Fatalf("a+b %v, b+a %v", ab, ba)
		}
		if want, got := a.Total()+b.Total(), ab.Total(); math.Abs(got-want) > 0.01*want+48*float64(ab.Scale)/2 {
			t.Fatalf("%v visits of %v", got, want)
		}
	}
	var h Hours
	for range 250 {
		h.Add(9, false, 1)
	}
	o := h
	for range 20 { // full cells are halved as a whole, and nothing runs over
		h.Merge(&o, 0)
		if h.Cells[0][9] < 100 || h.Cells[0][8] != 0 {
			t.Fatal(h)
		}
	}
	if h.Merge(&Hours{}, 0); h.Cells[0][9] < 100 {
		t.Error(h)
	}
}

// Whatever either had added since its last rotation is remembered, and what
// neither had is called seen no more often than one in four, however many merge.
func TestBloomMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var sum Bloom
		for range 1 + rng.IntN(8) {
			var b Bloom
			var lately []uint64
			for range rng.IntN(200) {
				h := rng.Uint64()
				b.Add(h)
				if lately = append(lately, h); b.Current == ([4]uint64{}) {
					lately = lately[:0]
				}
			}
			sum.Merge(&b)
			for _, h := range lately {
				if !sum.Has(h) {
					t.Fatal("what was added lately is forgotten")
				}
			}
		}
		seen := 0
		for range 1000 {
			if sum.Has(rng.Uint64()) {
				seen++
			}
		}
		if seen > 330 {
			t.Errorf("%d of 1000 that nobody has added were seen", seen)
		}
	}
}

func TestPeakMerge(t *testing.T) {
	f := func(a, b, want Peak) {
		t.Helper()
		for _, p := range [][2]Peak{{a, b}, {b, a}} {
			if p[0].Merge(p[1]); p[0] != want {
				t.Errorf("%+v, want %+v", p[0], want)
			}
		}
	}
	f(Peak{3, 10, 5}, Peak{2, 11, 7}, Peak{3, 11, 12})
	f(Peak{3, 65_530, 5}, Peak{2, 4, 65_533}, Peak{3, 4, 65_535}) // days mod 65536
	f(Peak{}, Peak{2, 4, 1}, Peak{2, 4, 1})
}

func TestStepsMerge(t *testing.T) {
	var a, b Steps
	for range 3 {
		a.Add(0, 1) // x to y
		b.Add(5, 2) // x to y there
	}
	b.Add(2, 5)
	none := [16]int{}
	for i := range none {
		none[i] = -1
	}
	inA, inB := none, none
	inA[3], inA[4] = 0, 1 // x is in place 3 now, y in 4
	inB[3], inB[4] = 5, 2
	a.Merge(&b, &inA, &inB)
	if n, all := a.Count(3, 4); n != 3 || all != 3 { // six, halved
		t.Errorf("x to y %v of %v", n, all)
	}
	if n, all := a.Count(4, 3); n != 1 || all != 1 {
		t.Errorf("y to x %v of %v", n, all)
	}
	if a.To(1) != 0 {
		t.Error("a place that nobody has any more has steps")
	}
}

func TestMergeAllocatesNothing(t *testing.T) {
	s, small := make(Slots, 8), make(SmallSlots, 16)
	for i := range 16 {
		s.Touch(uint32(i), 1)
		small.Touch(uint16(i), 1)
	}
	var h Hours
	h.Add(3, false, 1)
	var b Bloom
	var l Linear
	if n := testing.AllocsPerRun(100, func() {
		s.Merge(s, 0.5)
		small.Merge(small, 0.5)
		h.Merge(&h, 0)
		b.Merge(&b)
		l.Merge(&l)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
