package scoring

import (
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// mergeHabits puts together how, whence and when an identity comes.
func mergeHabits(late, early *profile.Record, o *overlap) {
	h, e, sessions := late.Habits(), early.Habits(), o.sessions()
	window.Slots(h.Devices[:]).Merge(e.Devices[:], sessions)
	h.DeviceNovelty.Merge(e.DeviceNovelty, sessions)
	window.Slots(h.Networks[:]).Merge(e.Networks[:], sessions)
	h.NetworkNovelty.Merge(e.NetworkNovelty, sessions)
	window.SmallSlots(h.Companions[:]).Merge(e.Companions[:], 0) // one a request
	window.SmallSlots(h.Countries[:]).Merge(e.Countries[:], sessions)
	h.CountryNovelty.Merge(e.CountryNovelty, sessions)
	h.Hours.Merge(&e.Hours, o.hour.shared())
	mergeEndpoints(h, e, o.ten.shared())
	h.Objects.Merge(&e.Objects)
	window.SmallSlots(h.Versions[:]).Merge(e.Versions[:], sessions)
	mergeMethods(&h.Methods, &e.Methods, sessions)

	h.Evidence = max(h.Evidence, e.Evidence)
	h.Bets = max(h.Bets, e.Bets)
	h.Order = max(h.Order, e.Order)
	mergeTypical(h, e, o.ten)
	h.Open.New10m = sum(h.Open.New10m, e.Open.New10m)
	h.Open.New1h = sum(h.Open.New1h, e.Open.New1h)
	h.Open.Companions10m = sum(h.Open.Companions10m, e.Open.Companions10m)
	mergeWalk(&h.Walk, &e.Walk)
	mergeChallenger(&h.Challenger, &e.Challenger, o)
	mergeBehaviour(&h.Behaviour, &e.Behaviour, o, late.Accepted >= early.Accepted)
	if e.LastAccepted > h.LastAccepted {
		late.Device, late.Network = early.Device, early.Network
		h.Last, h.Context = e.Last, e.Context
		h.Numbers, h.Walk.Routes = e.Numbers, e.Walk.Routes
	}
	mergeSession(h, e)
}

// mergeSession: of one session what it has used is of both, else the later's.
func mergeSession(h, e *profile.Habits) {
	first, last := min(h.LastAccepted, e.LastAccepted), max(h.LastAccepted, e.LastAccepted)
	switch {
	case last-first < sessionGap && last/shift == first/shift:
		h.Session.Methods |= e.Session.Methods
		h.Session.Versions |= e.Session.Versions
	case last == e.LastAccepted:
		h.Session = e.Session
	}
	h.LastAccepted = last
}

// mergeEndpoints merges the routes, and the steps between them, which go by their
// places.
func mergeEndpoints(h, e *profile.Habits, shared float64) {
	was := h.Endpoints
	window.SmallSlots(h.Endpoints[:]).Merge(e.Endpoints[:], shared)
	var inH, inE [16]int
	used := uint16(0)
	for i, s := range h.Endpoints {
		inH[i], inE[i] = endpointIn(was[:], s.ID), endpointIn(e.Endpoints[:], s.ID)
		if inH[i] >= 0 {
			used |= h.Used >> inH[i] & 1 << i
		}
		if inE[i] >= 0 {
			used |= e.Used >> inE[i] & 1 << i
		}
	}
	h.Used = used
	h.Steps.Merge(&e.Steps, &inH, &inE)
}

// endpointIn is where a route lies; -1: nowhere.
func endpointIn(s window.SmallSlots, id uint16) int {
	if i, known := s.Place(id); known {
		return i
	}
	return -1
}

// mergeMethods halves all where one would not fit, as learning does.
func mergeMethods(to, from *[8]uint8, shared float64) {
	var sum [8]float64
	most := 0.0
	for i := range sum {
		sum[i] = window.Union(float64(to[i]), float64(from[i]), shared)
		most = max(most, sum[i])
	}
	part := 1.0
	if most >= 255 { // 510 at most
		part = 0.5
	}
	for i := range sum {
		to[i] = uint8(sum[i]*part + 0.5)
	}
}

// mergeWalk: an object is asked for at one of them.
func mergeWalk(to, from *profile.Walk) {
	add := func(to *window.SmallNovelty, from window.SmallNovelty) {
		n := to.Novelty()
		n.Merge(from.Novelty(), 0)
		*to = n.Small()
	}
	add(&to.Adjacent, from.Adjacent)
	add(&to.Foreign, from.Foreign)
	to.AdjacentNow.Merge(from.AdjacentNow)
	to.ForeignNow.Merge(from.ForeignNow)
}

// mergeChallenger: what would replace the baseline must have come on so many days
// wherever it came, so that no replica vouches for what another has restarted.
func mergeChallenger(to, from *profile.Challenger, o *overlap) {
	if from.Last == 0 {
		to.Flags |= from.Flags
		return
	}
	if to.Last == 0 {
		flags := to.Flags
		*to = *from
		to.Flags |= flags
		return
	}
	for i, of := range [...]part{counted, counted, measured, measured, averaged} {
		w := o.ten
		if i == stepResponse {
			w = windows{} // each at one of them
		}
		a, b := window.Moments{N: float32(to.N[i])}, window.Moments{N: float32(from.N[i])}
		w.anchor(&to.Mean[i], from.Mean[i], a, b, of)
		to.N[i] = uint8(min(float64(a.N)+float64(b.N)-w.both(float64(a.N), float64(b.N)), 255))
	}
	to.Ordinary = uint8(min(window.Union(float64(to.Ordinary), float64(from.Ordinary), o.ten.shared()), 255))
	a, b := float64(window.Minifloat(to.Hour).Decode()), float64(window.Minifloat(from.Hour).Decode())
	to.Hour = uint16(window.Encode(uint64(max(a, b) + o.hour.shared()*min(a, b))))
	to.Last = max(to.Last, from.Last)
	to.Days, to.Sessions = min(to.Days, from.Days), min(to.Sessions, from.Sessions)
	to.Flags |= from.Flags
}

// mergeBehaviour: the class that may come next is the one of who knows more.
func mergeBehaviour(to, from *profile.Behaviour, o *overlap, knowsMore bool) {
	if !knowsMore {
		to.Candidate, to.Streak = from.Candidate, from.Streak
	}
	to.Novel = laterDay(to.Novel, from.Novel)
	to.Hours = uint8(min(window.Union(float64(to.Hours), float64(from.Hours), o.hour.shared())+0.5, 255))
}
