package scoring

import (
	"bytes"
	"cmp"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Merge takes another replica's record of the same identity into to: what one
// replica would know that had seen the requests of both. It says whether it did;
// records of different identities or kinds are left as they are.
//
// Merge(a, b) and Merge(b, a) are the same to the last bit, but for the place in
// a store. Merging a record with itself counts everything twice: which state of
// which replica is in a sum, Replicas keeps account of. Of more than two the
// order makes a small difference; Replicas has one order.
//
//	counts, histograms     added
//	moments                see mergewindows.go, mergeoverlap.go
//	CUSUMs, drift,
//	precedents             the larger
//	sketches               the union
//	slots                  Space-Saving's
//	what is now            of the record that knows the later
//
// Both are brought to the later one's time first. A replica whose clock runs ahead
// would let the others' rings pass: to refuse its record is for who receives it.
// What a record knows by the order of requests (steps, returns of a context,
// neighbours) each replica knows of those alone that came to it.
//
// It allocates nothing, and whatever Decode accepts it makes something of that
// Decode accepts. It holds no lock: copy what lies in a Store first.
func (s *Scorer) Merge(to, from *profile.Record) bool {
	if to.Key != from.Key || to.Kind != from.Kind {
		return false
	}
	m, _ := s.merges.Get().(*merging)
	if m == nil {
		m = &merging{}
	}
	defer s.merges.Put(m)
	generation := to.Generation
	m.late, m.early = *to, *from
	m.late.Generation, m.early.Generation = 0, 0
	if comesBefore(&m.late, &m.early) {
		m.late, m.early = m.early, m.late
	}
	s.rollTo(&m.early, m.late.LastSeen)
	mergeRecords(&m.late, &m.early)
	*to = m.late
	to.Generation = generation
	return true
}

// merging is the room for it: a look's record does not lie on the stack.
type merging struct{ late, early profile.Record }

// mergeRecords takes early into late, which is of the same time.
func mergeRecords(late, early *profile.Record) {
	o := overlapOf(late, early) // before anything is added
	fadeToSameDay(late, early)
	mergeHeader(late, early, &o)
	mergeRings(&late.Rings, &early.Rings, &o)
	mergeUsual(late, early, &o)
	switch {
	case late.Kind == profile.KindRoute:
		mergePopulation(late.Population(), early.Population())
	case habitual(late.Kind):
		mergeHabitRings(&late.HabitRings, &early.HabitRings)
		mergeHabits(late, early, &o)
	default:
		mergeSignIns(&late.Crowd().SignIns, &early.Crowd().SignIns, o.share)
	}
}

// comesBefore puts two records into an order that does not depend on which is
// which: by time, then by how much they know, then by anything.
func comesBefore(a, b *profile.Record) bool {
	if c := cmp.Or(cmp.Compare(a.LastSeen, b.LastSeen), cmp.Compare(a.Accepted, b.Accepted)); c != 0 {
		return c < 0
	}
	var one, other [profile.RecordSize]byte
	return bytes.Compare(profile.Encode(one[:0], a), profile.Encode(other[:0], b)) < 0
}

// rollTo lets time pass for a record, as it would at its next request: buckets
// that are over are learned. A route has none.
func (s *Scorer) rollTo(rec *profile.Record, now uint32) {
	if rec.Kind == profile.KindRoute {
		return
	}
	l := look{rec: rec, kind: rec.Kind, location: s.location, mature: mature(rec, rec.LastSeen)}
	if habitual(rec.Kind) {
		l.habits = rec.Habits()
	}
	l.peers = cohortOf(rec)
	l.cohort = s.norms.priors(rec.Kind, l.peers)
	l.roll(now)
}

// fadeToSameDay brings the precedents of the one that was last looked at on an
// earlier day to the other's.
func fadeToSameDay(a, b *profile.Record) {
	if a.Learned == 0 || b.Learned == 0 {
		return
	}
	if int16(a.Learned-b.Learned) < 0 {
		a, b = b, a
	}
	if days := int(a.Learned - b.Learned); days > 0 {
		l := look{rec: b}
		l.fadePrecedents(min(days, 400))
	}
}

func mergeHeader(late, early *profile.Record, o *overlap) {
	if late.Cohort == 0 || early.Cohort != 0 && early.Accepted > late.Accepted {
		late.Cohort = early.Cohort
	}
	if len(late.Name.String()) == 0 {
		late.Name = early.Name
	}
	late.Flags |= early.Flags
	late.Created = min(late.Created, early.Created)
	late.Requests = sum(late.Requests, early.Requests)
	late.Accepted = sum(late.Accepted, early.Accepted)
	late.Sessions = uint32(window.Union(float64(late.Sessions), float64(early.Sessions), o.sessions()) + 0.5)
	late.Sequence = max(late.Sequence, early.Sequence)
	late.InFlight = sum(late.InFlight, early.InFlight)
	late.Learned = laterDay(late.Learned, early.Learned)
	for i := range late.Open {
		late.Open[i] = sum(late.Open[i], early.Open[i])
	}
}

// sum saturates.
func sum[N uint16 | uint32](a, b N) N {
	if c := a + b; c >= a {
		return c
	}
	return ^N(0)
}

// laterDay is the later of two days mod 65536; 0 is none.
func laterDay(a, b uint16) uint16 {
	if a == 0 || b != 0 && int16(b-a) > 0 {
		return b
	}
	return a
}

func mergeRings(r, e *profile.Rings, o *overlap) {
	window.Overlay(r.Requests10s[:], e.Requests10s[:])
	window.Overlay(r.Requests1m[:], e.Requests1m[:])
	window.Overlay(r.Requests10m[:], e.Requests10m[:])
	window.Overlay(r.Errors10m[:], e.Errors10m[:])
	window.Overlay(r.Mistakes10m[:], e.Mistakes10m[:])
	r.Hour = sum(r.Hour, e.Hour)
	mergePrecedents(&r.Precedents, &e.Precedents, o)
}

// mergePrecedents: what one replica saw at most of one response is the most of
// all. Of a window both saw a part where they saw the same one, and the sum is at
// most that of both.
func mergePrecedents(to, from *[quantities + 1]uint16, o *overlap) {
	shared := [quantities]float64{
		requests1m: o.minute.shared(), requests10m: o.ten.shared(), requests1h: o.hour.shared(),
		new10m: o.ten.shared(), new1h: o.hour.shared(), tenBytes: o.ten.shared(), tenRecords: o.ten.shared(),
	}
	for q := range quantities {
		a, b := float64(window.Minifloat(to[q]).Decode()), float64(window.Minifloat(from[q]).Decode())
		to[q] = uint16(window.Encode(uint64(max(a, b) + shared[q]*min(a, b))))
	}
	to[renewals] |= from[renewals]
}

func mergeHabitRings(r, e *profile.HabitRings) {
	window.Overlay(r.New1m[:], e.New1m[:])
	window.Overlay(r.New10m[:], e.New10m[:])
	window.OverlayValues(r.Bytes10m[:], e.Bytes10m[:])
	window.OverlayValues(r.Records10m[:], e.Records10m[:])
	window.Overlay(r.Companions10m[:], e.Companions10m[:])
	window.Overlay(r.Switches10m[:], e.Switches10m[:])
	window.Overlay(r.Returns10m[:], e.Returns10m[:])
}

func mergeSignIns(to, from *profile.SignIns, share float64) {
	both := windowsOf(to.Attempts[:], from.Attempts[:], share, window.Moments{}, window.Moments{})
	both.moments(&to.Usual, from.Usual, counted)
	for i := range to.Users {
		to.Users[i].Merge(&from.Users[i])
	}
	window.Overlay(to.Attempts[:], from.Attempts[:])
	window.Overlay(to.Failures[:], from.Failures[:])
	window.Overlay(to.Successes[:], from.Successes[:])
}

// mergePopulation: every response was learned by one of them, so all of it adds up.
func mergePopulation(to, from *profile.Population) {
	mergeMoments(&to.Bytes, from.Bytes)
	mergeMoments(&to.Records, from.Records)
	to.LargestBytes.Merge(from.LargestBytes)
	to.LargestRecords.Merge(from.LargestRecords)
	to.LargestMetered.Merge(from.LargestMetered)
	for _, step := range from.Before { // shares of BeforeN, so no weight may get lost
		window.SmallSlots(to.Before[:]).Touch(step.ID, step.Count())
	}
	to.BeforeN = float32(finite(to.BeforeN, 0, 1e6) + finite(from.BeforeN, 0, 1e6))
	to.Adjacent.Merge(from.Adjacent, 0)
	to.Foreign.Merge(from.Foreign, 0)
}
