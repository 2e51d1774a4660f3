package window

import (
	"cmp"
	"math/bits"
	"slices"
)

// Merging takes in what another replica keeps of the same: Moments.Merge and
// HLL.Merge lie beside their types, the others here. Both arguments are as of one
// time. Merging is symmetric, but for the loss of what there is no room for.
//
// Something that is counted once a session or an hour is counted by both where
// the requests of one session went to both. So a count of such is
//
//	a + b - shared min(a, b)
//
// with shared the share of the lesser one's that the other has as well, 0 to 1.

// Union is that count, up to a bound that no count comes to.
func Union(a, b, shared float64) float64 { return min(a+b-shared*min(a, b), mostUnion) }

const mostUnion = 1e9

// Overlay adds a ring of counts to another of the same width and clock.
func Overlay(ring, o []uint16) {
	for i := range ring {
		ring[i] = uint16(min(uint32(ring[i])+uint32(o[i]), 1<<16-1))
	}
}

// OverlayValues is Overlay for rings of Minifloats.
func OverlayValues(ring, o []uint16) {
	for i := range ring {
		ring[i] = uint16(Encode(Minifloat(ring[i]).Decode() + Minifloat(o[i]).Decode()))
	}
}

// mostSlots is how many any Slots or SmallSlots have.
const mostSlots = 16

// Merge is Space-Saving's (Agarwal et al. 2012): what one of them does not
// remember may have been displaced there, if it is full, and counts as its
// lightest. So a weight is still never too low. The heaviest stay.
func (s Slots) Merge(o Slots, shared float64) {
	var union [2 * mostSlots]Slot
	n := 0
	take := func(id uint32, a, b float64) {
		union[n] = Slot{id, float32(Union(a, b, shared))}
		n++
	}
	least, leastOther := s.lightest(), o.lightest()
	for _, e := range s {
		if e.Weight > 0 {
			take(e.ID, float64(e.Weight), max(o.Weight(e.ID), leastOther))
		}
	}
	for _, e := range o {
		if e.Weight > 0 && s.Weight(e.ID) == 0 {
			take(e.ID, least, float64(e.Weight))
		}
	}
	slices.SortFunc(union[:n], func(a, b Slot) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.ID, b.ID))
	})
	clear(s)
	copy(s, union[:n])
}

// lightest is the least weight; 0 where there is an empty slot.
func (s Slots) lightest() float64 {
	least := s[0].Weight
	for i := range s {
		least = min(least, s[i].Weight)
	}
	return float64(least)
}

// Merge is Slots.Merge.
func (s SmallSlots) Merge(o SmallSlots, shared float64) {
	var a, b [mostSlots]Slot
	wide := func(to []Slot, from SmallSlots) Slots {
		for i, e := range from {
			to[i] = Slot{uint32(e.ID), float32(e.Count())}
		}
		return to[:len(from)]
	}
	sum := wide(a[:], s)
	sum.Merge(wide(b[:], o), shared)
	for i, e := range sum {
		s[i] = SmallSlot{uint16(e.ID), smallEncode(float64(e.Weight))}
	}
}

// Merge counts what both have drawn.
func (n *Novelty) Merge(o Novelty, shared float64) {
	n.N = float32(Union(float64(n.N), float64(o.N), shared))
	n.New = float32(min(Union(float64(n.New), float64(o.New), shared), float64(n.N)))
}

// Merge takes in the visits of another. As in Add, halving forgets where the
// scale would become coarser than a visit.
func (h *Hours) Merge(o *Hours, shared float64) {
	var sum [2][24]float64
	most, scale := 0.0, max(float64(h.Scale), float64(o.Scale))
	if !(scale > 0) {
		return
	}
	for d := range sum {
		for i := range sum[d] {
			a, b := float64(h.Cells[d][i])*float64(h.Scale), float64(o.Cells[d][i])*float64(o.Scale)
			sum[d][i] = Union(a, b, shared) / scale
			most = max(most, sum[d][i])
		}
	}
	part := 1.0
	if most >= 255 { // of two histograms it is 510 at most
		part = 0.5
		scale = min(scale*2, max(scale, hoursCoarsest))
	}
	for d := range sum {
		for i := range sum[d] {
			h.Cells[d][i] = uint8(sum[d][i]*part + 0.5)
		}
	}
	h.Scale = float32(scale)
}

// bloomMost is how many set bits two filters may have together: there they answer
// "seen" for (144/256)^3 = 18 % of what they have not seen.
const bloomMost = 144

// Merge makes b have what either had added lately. What only the previous filters
// have is kept as far as there is room: a filter that is full has seen everything,
// and whoever walks the ids of objects would not be seen. Between more than two
// or three with objects of their own there is none.
func (b *Bloom) Merge(o *Bloom) {
	current, n := union(&b.Current, &o.Current)
	if n >= bloomFull { // as in Add
		b.Current, b.Previous = [4]uint64{}, current
		return
	}
	b.Current = current
	if previous, n := union(&b.Previous, &o.Previous); n <= bloomMost {
		b.Previous = previous
	}
}

func union(a, b *[4]uint64) (u [4]uint64, n int) {
	for i := range u {
		u[i] = a[i] | b[i]
		n += bits.OnesCount64(u[i])
	}
	return u, n
}

// Merge makes l count what either has seen.
func (l *Linear) Merge(o *Linear) {
	for i := range l {
		l[i] |= o[i]
	}
}

// Merge makes it the peak of both: the higher, as of the later day.
func (p *Peak) Merge(o Peak) {
	switch {
	case o.N == 0:
		return
	case p.N == 0:
		*p = o
		return
	}
	if int16(o.Day-p.Day) > 0 {
		p.Day = o.Day
	}
	p.Most = max(p.Most, o.Most)
	p.N = uint16(min(uint32(p.N)+uint32(o.N), 1<<16-1))
}

// Merge returns the steps of both between the values whose place in a is inA, and
// in b inB; -1 is no place. A row that has no room is halved, as in Add.
func (s *Steps) Merge(o *Steps, inS, inO *[16]int) {
	was := *s
	for b := range 16 {
		var row [16]uint32
		most := uint32(0)
		for a := range 16 {
			for _, from := range [...]struct {
				steps *Steps
				place *[16]int
			}{{&was, inS}, {o, inO}} {
				if from.place[a] >= 0 && from.place[b] >= 0 {
					row[a] += cell(from.steps.row(from.place[b]), from.place[a])
				}
			}
			most = max(most, row[a])
		}
		packed := uint32(0)
		for a, n := range row {
			if most > 3 { // 6 at most
				n = (n + 1) / 2
			}
			packed = setCell(packed, a, n)
		}
		s.setRow(b, packed)
	}
}
