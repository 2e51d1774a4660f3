package scoring

import (
	"net/http"
	"time"

	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// A session ends after half an hour without requests, and with the shift, a
// third of a day: a program that never pauses has sessions as well.
const (
	sessionGap = 30 * 60     // seconds
	shift      = 8 * 60 * 60 // seconds
	aDay       = 24 * 60 * 60
)

// Complete ends the exchange, once: what comes after the first call does
// nothing. now is the time of the end.
//
// An identity is credited only with what the upstream accepted:
//
//	refused by us, or 401 or 403    the request is taken back out of the rings,
//	from the upstream               and nothing is learned
//	no answer was seen, anomalous,  it stays counted, and nothing is learned
//	cut by us, or broken off
//	any other error                 it stays counted, as an error
//	answered and not anomalous      learned, with weight min(1, p/0.01)
//	answered, by who is not mature  learned as it is, odd or not
//
// The last is for a newcomer's first nights and batches: what is odd for the
// first day alone, and is not learned then, would be odd for ever.
//
// So neither forged credentials nor our own denials can be evidence against an
// identity, nothing odd becomes usual by being repeated, and who hangs up
// before the answer has still asked. What the upstream refused counts as an
// error where it came from, see failures.go.
func (s *Scorer) Complete(ex *Exchange, end End, now time.Time) {
	sc := ex.scratch
	if sc == nil || !sc.open {
		return
	}
	fate := fateOf(ex, end)
	if fate == answered {
		s.rejudge(ex) // with the final sizes
	}
	sc.open = false
	clock, how := seconds(now), outcomeOf(ex, end)
	if how == succeeded {
		s.signedIn(ex, clock)
	}
	s.countAttempt(ex, how, clock)
	weight, first := 0.0, 0.0
	if fate == answered && end == Answered && !isError(ex.Status) {
		if !ex.Assessment.Anomalous {
			weight = learningWeight(ex.Assessment.Score)
		}
		if first = weight; ex.Assessment.Peers.Level < Mature {
			first = 1
		}
	}
	sc.slow = s.observe(ex, fate, clock)
	for k := range sc.entities {
		switch {
		case sc.entities[k].handle == (profile.Handle{}):
		case k == int(profile.KindUser) && sc.attempt.subject && how != succeeded:
			s.part(ex, profile.KindUser, clock, Refused, refused, 0, 0) // it may have been anybody
		default:
			s.part(ex, profile.Kind(k), clock, end, fate, weight, first)
		}
	}
	switch {
	case weight > 0:
		s.learnRoute(ex, clock, weight)
	case fate == answered:
		s.noteRoute(ex, end, clock)
	}
}

// observe tells the calibrator how the exchange ended, and returns what it
// makes of the ten minutes before, once they are over.
func (s *Scorer) observe(ex *Exchange, fate fate, now uint32) (slow float64) {
	sc, a := ex.scratch, &ex.Assessment
	o := &sc.outcome
	*o = calibrate.Outcome{Accepted: fate == answered, Score: a.Score, Alarm: a.Anomalous}
	sc.who.Now = now
	return s.calibrator.Observe(&sc.who, &sc.findings.surprises, o)
}

// fate is what became of a request.
type fate uint8

const (
	refused    fate = iota // by us or by the upstream: it might be anybody's
	unanswered             // nothing came back
	answered
)

func fateOf(ex *Exchange, end End) fate {
	switch {
	case end == Refused || isRefusal(ex.Status):
		return refused
	case end == Unknown && ex.Status == 0:
		return unanswered
	}
	return answered
}

// part ends the exchange for one entity, if its record is still there. weight is
// that of the lesson for whoever is known, first that for whoever is not.
func (s *Scorer) part(ex *Exchange, kind profile.Kind, now uint32, end End, fate fate, weight, first float64) {
	rec, pin, ok := s.store.FindHandle(ex.scratch.entities[kind].handle)
	if !ok {
		return
	}
	defer pin.Release()
	l := s.look(ex, rec, kind)
	l.roll(now)
	rec.InFlight -= min(rec.InFlight, 1)
	if end != Refused {
		l.countFailure()
		l.countTry()
	}
	switch fate {
	case refused:
		l.takeBack()
	case answered:
		l.credit()
	}
	switch {
	case !mature(rec, l.now):
		weight = first
	case recurs(rec, l.now) && fate == answered && end == Answered && !isError(ex.Status):
		weight = 1
	}
	if fate == answered && ex.Assessment.Anomalous && weight == 0 {
		taint(rec)
		if firstWeek(rec, l.now) {
			rec.Rings.Precedents[renewals] |= l.entity.precedents.renewed & odd
		}
	}
	if l.habits != nil && (fate == answered || end == Refused && ex.Entities[kind].Verified) {
		l.incur(ex.Assessment.Score)
	}
	if weight > 0 {
		l.learn(weight)
	}
	if fate == answered {
		l.nextDay()
	}
	l.challenge(end, fate)
	if l.by != ByNobody {
		s.announce(l)
	}
	if kind == stands(ex) {
		l.bet(ex.scratch.slow)
	}
}

// takeBack removes the request from the rings, as far as they reach.
func (l *look) takeBack() {
	at, r, h := seconds(l.ex.Time), &l.rec.Rings, &l.rec.HabitRings
	if !l.entity.foreign {
		l.rec.Requests -= min(l.rec.Requests, 1)
		window.Undo(r.Requests10s[:], tenSeconds, at, l.now, 1)
		window.Undo(r.Requests1m[:], minute, at, l.now, 1)
		window.Undo(r.Requests10m[:], tenMinutes, at, l.now, 1)
		if l.entity.newObject {
			l.takeBackNew(at)
		}
	}
	if l.entity.newPartner {
		window.Undo(h.Companions10m[:], tenMinutes, at, l.now, 1)
	}
}

// takeBackNew removes a new object from the rings, as far as they reach.
func (l *look) takeBackNew(at uint32) {
	h := &l.rec.HabitRings
	window.Undo(h.New1m[:], minute, at, l.now, 1)
	window.Undo(h.New10m[:], tenMinutes, at, l.now, 1)
}

// unserved: the upstream did not come to do what it was asked for. Who asks
// again and again then gets nothing, and does what programs are made to do: its
// requests count, and neither the objects nor the places that it asks from.
func unserved(status int) bool { return status == http.StatusTooManyRequests || status >= 500 }

// credit counts what the upstream accepted, odd or not.
func (l *look) credit() {
	rec, served := l.rec, !unserved(l.ex.Status)
	if l.entity.foreign {
		l.count()
	}
	if !isError(l.ex.Status) {
		rec.Accepted++
	}
	if served {
		increment(&rec.Open[0])
		increment(&rec.Open[1])
		increment(&rec.Rings.Hour)
	}
	h := l.habits
	if h == nil {
		return
	}
	switch {
	case !l.entity.newObject:
	case !served && !l.entity.foreign:
		l.takeBackNew(seconds(l.ex.Time))
	case served:
		if l.entity.foreign {
			l.countNew()
		}
		increment(&h.Open.New10m)
		increment(&h.Open.New1h)
	}
	if l.entity.newPartner {
		increment(&h.Open.Companions10m)
	}
	if served {
		l.moveContext()
		l.countWalk()
	}
	l.step()
	l.use()
	size, records := sizes(l.ex)
	l.countTypical(size)
	window.AddValue(rec.HabitRings.Bytes10m[:], tenMinutes, l.now, uint64(max(size, 0)), rec.Accepted)
	window.AddValue(rec.HabitRings.Records10m[:], tenMinutes, l.now, uint64(max(records, 0)), rec.Accepted)
}

// learn takes an ordinary exchange into the record's habits.
func (l *look) learn(weight float64) {
	rec := l.rec
	l.name()
	if h := l.habits; h != nil {
		l.session = l.now-min(h.LastAccepted, l.now) >= sessionGap || l.now/shift != h.LastAccepted/shift
		for _, d := range detectorsOf(l.kind) {
			d.learn(l, weight)
		}
		if l.session {
			rec.Sessions++
		}
		h.LastAccepted = l.now
		rec.Device = slotID(&l.ex.Entities[profile.KindDevice])
		rec.Network = slotID(&l.ex.Entities[profile.KindNetwork])
		p, sc := &l.entity.predictions, l.ex.scratch
		l.learnResponse(&rec.Bytes, sc.bytes, &p.bytes, weight)
		l.learnResponse(&rec.Records, sc.records, &p.records, weight)
	}
	l.setPrecedents()
}

// name keeps the display name beside the profile, for people.
func (l *look) name() {
	name := l.ex.Entities[l.kind].Name
	if len(name) == 0 || l.habits == nil && l.rec.Flags&named != 0 {
		return // a crowd's name is what its key was made of
	}
	l.rec.Name = profile.NameOf(name)
	l.rec.Flags |= named
}

// learnRoute takes the response into the route's population, and the route
// into the table: it exists, since it was answered well.
func (s *Scorer) learnRoute(ex *Exchange, now uint32, weight float64) {
	if merges := s.routes.Learn(ex.Route); len(merges) > 0 {
		s.mergeRoutes(merges, now)
	}
	if ex.Route.Object != 0 {
		s.store.Owners().Touch(ex.Route.Object, principal(ex))
	}
	rec, pin, _ := s.store.Acquire(routeKey(ex.Route.ID), profile.KindRoute, now)
	defer pin.Release()
	if rec.Kind != profile.KindRoute {
		return
	}
	rec.LastSeen = max(rec.LastSeen, now)
	rec.Requests++
	rec.Accepted++
	rec.Name = profile.NameOf(ex.Route.Name)
	noteAnswer(rec, ex, Answered, now)
	p, who := rec.Population(), principal(ex)
	another := who != p.Last
	p.Last = who
	teaches := func(n float32) bool { return another || !(n >= ownRuler) } // something of which so many are known
	learn := func(m *window.Moments, of amount) {
		if of.v >= 0 && teaches(m.N) {
			learnMoment(m, of.log2, weight, decayResponse)
		}
	}
	learn(&p.Bytes, ex.scratch.bytes)
	learn(&p.Records, ex.scratch.records)
	learnStep(p, ex, teaches(p.BeforeN))
	learnWalk(p, ex, teaches)
}

// noteRoute remembers what was answered, though it was odd and teaches nothing.
// It makes no record.
func (s *Scorer) noteRoute(ex *Exchange, end End, now uint32) {
	if ex.scratch.bytes.v < 0 {
		return
	}
	if rec, pin, ok := s.store.Find(routeKey(ex.Route.ID)); ok {
		defer pin.Release()
		if rec.Kind == profile.KindRoute {
			noteAnswer(rec, ex, end, now)
		}
	}
}

// ownRuler is how many responses to one alone make a route's ruler, and how many
// steps and objects of one. From then on it learns by turns: who comes again and
// again counts once until another has come. Else the only caller of a route would
// bend, by growing slowly, the ruler that it is measured with.
const ownRuler = 30

// principal tells those who learn by turns apart.
func principal(ex *Exchange) uint32 {
	for k := range ex.Entities {
		if id := slotID(&ex.Entities[k]); id != 0 {
			return id
		}
	}
	return 0
}

func increment(n *uint16) { *n = min(*n, 1<<16-2) + 1 }
