package scoring

import (
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// drawn is what is remembered of one value among all that were drawn: a device,
// a network, a country, a method, a version.
type drawn struct {
	weight, total float64 // draws of it, and of all
	rarer         float64 // draws of what is no commoner, itself included
	known         int     // values remembered
}

func drawnOf(slots window.Slots, id uint32) drawn {
	d := drawn{weight: slots.Weight(id)}
	for i := range slots {
		d.count(float64(slots[i].Weight))
	}
	return d
}

func drawnOfSmall(slots window.SmallSlots, id uint16) drawn {
	d := drawn{weight: slots.Weight(id)}
	for i := range slots {
		d.count(slots[i].Count())
	}
	return d
}

// count takes one value's draws into the sums; weight is set.
func (d *drawn) count(draws float64) {
	if !(draws > 0) {
		return
	}
	d.known++
	d.total += draws
	if draws <= d.weight {
		d.rarer += draws
	}
}

// novelty is how often a value was new, where that is not counted apart: every
// value remembered was new once, and the first of all does not count.
func (d *drawn) novelty() window.Novelty {
	return window.Novelty{N: float32(d.total), New: float32(max(d.known-1, 0))}
}

// slotPrior is how many sessions the cohort's rate of novelty is worth.
const slotPrior = 8.0

// place judges one value:
//
//	p_new = (new + 8 prior)/(n + 8)                     never seen
//	p     = p_new + (1-p_new) * share of what is no commoner   seen
//
// where n counts sessions and context switches, not requests: the requests of a
// session do not draw again. For the same reason it speaks in full where the
// context changes, and is held back where it lasts: who works from a new place
// for a day is new once. It returns p where the value was never seen, else 0.
func (l *look) place(d Detector, unit string, v drawn, novelty window.Novelty, prior float64) float64 {
	l.ex.scratch.findings.run(d)
	n, fresh := finite(novelty.N, 0, 1e6), finite(novelty.New, 0, 1e6)
	pNew := min((min(fresh, n)+slotPrior*prior)/(n+slotPrior), 1)
	p, share := pNew, 0.0
	if v.weight > 0 && v.total > 0 {
		share = v.weight / v.total
		p += (1 - pNew) * v.rarer / v.total
	}
	if share > 0 && p >= likely {
		return 0
	}
	e := Evidence{Detector: d, Unit: unit, Bits: bitsOf(p), Observed: share, Expected: float64(v.known)}
	if l.settled() {
		e.Bits = min(e.Bits, subdued)
		if d == Country {
			e.raw = ordinary // a journey lasts for days, and what alarms is not learned
		}
	}
	l.find(e)
	if share > 0 {
		return 0
	}
	return p
}

// draw counts one visit from the value.
func draw(slots window.Slots, novelty *window.Novelty, id uint32, weight float64) {
	slots.Decay(decaySession)
	novelty.Decay(decaySession)
	known := slots.Touch(id, weight)
	// The first of all is not counted as new: it says nothing about how often
	// another comes.
	novelty.Observe(!known && novelty.N > 0, weight)
}

// slotID is the 32 bits by which slots remember an entity; 0 if there is none.
func slotID(id *Identity) uint32 {
	if id.Kind == profile.KindNone {
		return 0
	}
	return shortKey(id.Key)
}

func shortKey(k profile.Key) uint32 { return max(uint32(k.Lo), 1) }
