package scoring

import "github.com/wonted-project/wonted/scoring/window"

// version: it uses a version of the API that it seldom or never used. Old
// versions lack the checks of the new, and those to come are not guarded yet.
// The version is the one in the path, or else in a header or media type; a
// version draws once a session.
type version struct{}

func (version) judge(l *look) {
	id := l.ex.Route.Version
	if id == 0 || !l.mature {
		return
	}
	if v := drawnOfSmall(l.habits.Versions[:], id); v.known > 0 {
		l.place(Version, "API versions", v, v.novelty(), l.cohort.newVersion)
	}
}

// learn counts what the upstream has: a version that is not there stays new.
func (version) learn(l *look, weight float64) {
	h, id := l.habits, l.ex.Route.Version
	if l.session {
		h.Session.Versions = 0
	}
	bit := uint8(1) << (id % 8)
	if id == 0 || l.ex.Status >= 400 || h.Session.Versions&bit != 0 {
		return
	}
	h.Session.Versions |= bit
	slots := window.SmallSlots(h.Versions[:])
	slots.Decay(decaySession)
	slots.Touch(id, weight)
}
