package scoring

import (
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// companion: beside the source that names the caller comes another of the same
// kind that disagrees and was never seen with it, say a stolen token with a
// fresh x-api-key a request. Somebody who tries to look like many does that;
// a gateway that always sends two keys has a companion that is known.
type companion struct{}

func (companion) judge(l *look) {
	id := companionID(l)
	if id == 0 {
		return
	}
	l.ex.scratch.findings.run(Companion)
	if window.SmallSlots(l.habits.Companions[:]).Weight(id) > 0 {
		return
	}
	window.Add(l.rec.HabitRings.Companions10m[:], tenMinutes, l.now, 1)
	l.entity.newPartner = true
	k := window.Sliding(l.rec.HabitRings.Companions10m[:], tenMinutes, l.now)
	s, expected := l.cohort.companions10m.bits(k, &l.rec.Baseline.Companions10m, 0)
	l.find(Evidence{Detector: Companion, Unit: "identities", Bits: s, Observed: k, Expected: expected, Window: 10 * time.Minute})
}

func (companion) learn(l *look, weight float64) {
	if id := companionID(l); id != 0 {
		slots := window.SmallSlots(l.habits.Companions[:])
		slots.Decay(decaySession)
		slots.Touch(id, weight)
	}
}

// companionID is the losing source beside a caller; other kinds have none.
func companionID(l *look) uint16 {
	if l.kind != profile.KindCaller || l.ex.Companion == (profile.Key{}) {
		return 0
	}
	return max(uint16(l.ex.Companion.Lo), 1)
}
