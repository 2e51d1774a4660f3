package scoring

import (
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// device: it comes with a device it seldom or never came with.
type device struct{}

func (device) judge(l *look) {
	id := slotID(&l.ex.Entities[profile.KindDevice])
	if id == 0 {
		return
	}
	slots := window.Slots(l.habits.Devices[:])
	if l.mature {
		l.context.device = l.place(Device, "devices", slots, l.habits.DeviceNovelty, id, l.cohort.newDevice)
	}
}

func (device) learn(l *look, weight float64) {
	if id := slotID(&l.ex.Entities[profile.KindDevice]); id != 0 && (l.session || id != l.rec.Device) {
		draw(l.habits.Devices[:], &l.habits.DeviceNovelty, id, weight)
	}
}

// slotPrior is how many sessions the cohort's rate of novelty is worth.
const slotPrior = 8.0

// place judges one slotted value, the device or the network:
//
//	p_new = (new + 8 prior)/(n + 8)                     never seen
//	p     = p_new + (1-p_new) * share of what is no commoner   seen
//
// where n counts sessions and context switches, not requests: the requests of a
// session do not draw again. It returns p where the value was never seen, else 0.
func (l *look) place(d Detector, unit string, slots window.Slots, novelty window.Novelty, id uint32, prior float64) float64 {
	l.ex.scratch.findings.run(d)
	n, fresh := finite(novelty.N, 0, 1e6), finite(novelty.New, 0, 1e6)
	pNew := min((min(fresh, n)+slotPrior*prior)/(n+slotPrior), 1)
	p, share := pNew, 0.0
	if w := slots.Weight(id); w > 0 {
		if total := slots.Total(); total > 0 {
			share = w / total
			p += (1 - pNew) * slots.NoCommoner(id) / total
		}
	}
	known := 0
	for i := range slots {
		if slots[i].Weight > 0 {
			known++
		}
	}
	l.find(Evidence{Detector: d, Unit: unit, Bits: bitsOf(p), Observed: share, Expected: float64(known)})
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
	return max(uint32(id.Key.Lo), 1)
}
