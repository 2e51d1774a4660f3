package window

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestAdvance(t *testing.T) {
	const width = 10
	f := func(last, now uint32, want ...uint16) {
		t.Helper()
		ring := []uint16{1, 2, 3, 4}
		Advance(ring, width, last, now)
		if !slices.Equal(ring, want) {
			t.Errorf("Advance(%d -> %d) = %v, want %v", last, now, ring, want)
		}
	}
	f(100, 100, 1, 2, 3, 4)
	f(100, 109, 1, 2, 3, 4) // the same bucket: slot (100/10)%4 = 2
	f(109, 110, 1, 2, 3, 0)
	f(100, 125, 0, 2, 3, 0)
	f(100, 139, 0, 0, 3, 0)
	f(100, 140, 0, 0, 0, 0)
	f(100, 4_000_000_000, 0, 0, 0, 0) // an idle lifetime
	f(100, 99, 1, 2, 3, 4)            // a clock set back
	f(4_000_000_000, 0, 1, 2, 3, 4)
}

func TestAddUndo(t *testing.T) {
	ring := make([]uint16, 3)
	Add(ring, 60, 60, 65_000)
	Add(ring, 60, 119, 1_000)
	if got := Current(ring, 60, 100); got != 65_535 {
		t.Errorf("a full slot holds %v", got)
	}
	Add(ring, 60, 60, 1<<32-1)
	if got := Current(ring, 60, 100); got != 65_535 {
		t.Errorf("a full slot holds %v", got)
	}
	Undo(ring, 60, 60, 239, 535)
	if got := Sum(ring); got != 65_000 {
		t.Errorf("after Undo: %v", got)
	}
	Undo(ring, 60, 60, 240, 5) // its slot is another bucket's by now
	if got := Sum(ring); got != 65_000 {
		t.Errorf("Undo reached past the ring: %v", got)
	}
	Undo(ring, 60, 60, 60, 1<<32-1)
	if got := Sum(ring); got != 0 {
		t.Errorf("Undo below zero: %v", got)
	}
}

func TestSliding(t *testing.T) {
	ring := []uint16{0, 40, 10} // buckets [60,120) and [120,180) of a minute
	f := func(now uint32, want float64) {
		t.Helper()
		if got := Sliding(ring, 60, now); got != want {
			t.Errorf("Sliding(%d) = %v, want %v", now, got, want)
		}
	}
	f(120, 50)
	f(135, 40)
	f(150, 30)
	f(165, 20)
}

// The ring against a list of events, through gaps and clocks that step back.
func TestRingAgainstEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.SampledFrom([]uint32{1, 10, 60, 600, 3600}).Draw(t, "width")
		ring := make([]uint16, rapid.IntRange(2, 24).Draw(t, "slots"))
		last := rapid.Uint32Range(0, 1<<31).Draw(t, "start")
		counts := map[uint32]float64{}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			step := rapid.OneOf(rapid.Int64Range(-100, 100), rapid.Int64Range(0, int64(width)*40)).Draw(t, "step")
			now := max(last, uint32(max(int64(last)+step, 0)))
			if v := Current(ring, width, last); Passed(width, last, now) > 0 && v != counts[last/width] {
				t.Fatalf("bucket %d closed at %v, want %v", last/width, v, counts[last/width])
			}
			Advance(ring, width, last, now)
			Add(ring, width, now, 1)
			counts[now/width]++
			last = now

			sum := 0.0
			for b, n := range counts {
				if now/width-b < uint32(len(ring)) {
					sum += n
				}
			}
			if got := Sum(ring); got != sum {
				t.Fatalf("the ring holds %v, want %v", got, sum)
			}
			fraction := float64(now%width) / float64(width)
			previous := 0.0
			if now >= width {
				previous = counts[now/width-1]
			}
			if got, want := Sliding(ring, width, now), counts[now/width]+previous*(1-fraction); got != want {
				t.Fatalf("Sliding = %v, want %v", got, want)
			}
		}
	})
}

func TestRemove(t *testing.T) {
	const width = 10
	f := func(now, n uint32, want ...uint16) {
		t.Helper()
		ring := []uint16{1, 2, 3, 4}
		Remove(ring, width, now, n)
		if !slices.Equal(ring, want) {
			t.Errorf("Remove(%d at %d) = %v, want %v", n, now, ring, want)
		}
	}
	f(100, 0, 1, 2, 3, 4)
	f(100, 2, 1, 2, 1, 4)
	f(100, 4, 1, 1, 0, 4) // 100 lies in slot 2
	f(109, 5, 1, 0, 0, 4)
	f(100, 7, 0, 0, 0, 3)
	f(4_000_000_000, 10, 0, 0, 0, 0)
	f(0, 1<<32-1, 0, 0, 0, 0)
}
