package window

import (
	"testing"

	"pgregory.net/rapid"
)

// remembering is what Slots and SmallSlots have in common, to test them alike.
type remembering struct {
	touch  func(id uint16, w float64) bool
	weight func(id uint16) float64
	decay  func(f float64)
	total  func() float64
}

func bothSlots(n int) map[string]remembering {
	s, small := make(Slots, n), make(SmallSlots, n)
	return map[string]remembering{
		"Slots": {
			func(id uint16, w float64) bool { return s.Touch(uint32(id), w) },
			func(id uint16) float64 { return s.Weight(uint32(id)) },
			s.Decay, s.Total,
		},
		"SmallSlots": {small.Touch, small.Weight, small.Decay, small.Total},
	}
}

func TestSlots(t *testing.T) {
	for name, s := range bothSlots(3) {
		f := func(what string, got, want any) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %s = %v, want %v", name, what, got, want)
			}
		}
		f("first visit known", s.touch(7, 1), false)
		f("second visit known", s.touch(7, 2), true)
		f("weight", s.weight(7), 3.0)
		f("stranger's weight", s.weight(8), 0.0)
		f("visit that does not count", s.touch(9, 0), false)
		f("its weight", s.weight(9), 0.0)
		s.touch(8, 1)
		s.touch(9, 2)
		f("total", s.total(), 6.0)
		f("a fourth known", s.touch(10, 1), false)
		f("it inherits the lightest's weight", s.weight(10), 2.0)
		f("whose place it took", s.weight(8), 0.0)
		s.decay(0.5)
		f("decayed", s.weight(7), 1.5)
		for range 20 {
			s.decay(0.5)
		}
		f("faded", s.weight(7), 0.0)
		f("total when all has faded", s.total(), 0.0)
		f("known after fading", s.touch(7, 1), false)
		f("the hash 0 at first", s.touch(0, 1), false)
		f("the hash 0 again", s.touch(0, 1), true)
	}
}

// Space-Saving: no value's weight is underestimated, and the heavy are kept.
func TestSlotsKeepTheHeavy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for name, s := range bothSlots(8) {
			truth := map[uint16]float64{}
			visits := rapid.SliceOfN(rapid.Uint16Range(1, 30), 1, 400).Draw(t, name)
			for _, id := range visits {
				s.touch(id, 1)
				truth[id]++
			}
			for id, n := range truth {
				if w := s.weight(id); w != 0 && w < n*0.99 {
					t.Fatalf("%s: %d came %v times, weight %v", name, id, n, w)
				} else if w == 0 && n > float64(len(visits))/8 {
					t.Fatalf("%s: %d came %v of %d times and is forgotten", name, id, n, len(visits))
				}
			}
		}
	})
}

func TestNovelty(t *testing.T) {
	var n Novelty
	if got := n.Ratio(0.25, 8); got != 0.25 {
		t.Errorf("nothing seen: %v, want the prior", got)
	}
	for i := range 8 {
		n.Observe(i < 4, 1)
	}
	n.Observe(true, 0)
	if got := n.Ratio(0.25, 8); got != (4+2.0)/16 {
		t.Errorf("4 of 8: %v", got)
	}
	n.Decay(0.5)
	if n != (Novelty{4, 2}) {
		t.Errorf("decayed: %+v", n)
	}
}
