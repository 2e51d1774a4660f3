package scoring

import (
	"math"
	"sync"
	"time"

	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
	"github.com/wonted-project/wonted/scoring/window"
)

// Calibrator makes a score of surprises. It is safe for concurrent use, and
// monotone in every surprise. Detectors are numbers to it.
type Calibrator interface {
	// Score judges what was found so far among who's peers.
	Score(who *calibrate.Who, found *calibrate.Surprises) calibrate.Verdict
	// Limit is the surprise in bits at which detector d would bring the score to
	// the threshold, on top of what the others have found.
	Limit(who *calibrate.Who, found *calibrate.Surprises, d int) float64
	// Observe learns from an exchange that has ended. slow is the e-value of the
	// identity's last ten minutes, once they are over, as far as slow detectors
	// speak; else 0.
	Observe(who *calibrate.Who, found *calibrate.Surprises, o *calibrate.Outcome) (slow float64)
	// Forget erases what is kept of an identity: as Key in Who, and as one of the Places.
	Forget(key, place uint64)
}

// Config is what a Scorer is made of. Store is required.
type Config struct {
	Store      *profile.Store
	Routes     *route.Table   // nil: a new one
	Location   *time.Location // of hours and days; nil: UTC
	Calibrator Calibrator     // nil: calibrate.Uncalibrated
	// VersionHeaders name the API version where the path does not, in lower case;
	// nil: route.VersionHeaders.
	VersionHeaders []string

	// Cohorts are the operator's. New panics where they are not valid.
	Cohorts CohortRules
	// Replaced is told of every baseline that a challenger replaces, while the
	// record is locked: it must not block, nor come back to the Store.
	Replaced func(Replacement) // nil: nobody
}

// Scorer judges exchanges and learns from them. It is safe for concurrent use;
// each Exchange belongs to one goroutine at a time. It holds one record's lock
// at a time, allocates nothing once a route is known and the exchange has been
// used before, and reads no clock.
type Scorer struct {
	store      *profile.Store
	routes     *route.Table
	location   *time.Location
	calibrator Calibrator
	pairs      pairs

	versionHeaders []string
	headerLengths  uint64 // of those read, a bit each
	norms          *norms
	named          *namedCohorts
	replaced       func(Replacement)
	merges         sync.Pool // of *merging
}

// New returns a Scorer.
func New(cfg Config) *Scorer {
	if cfg.Store == nil {
		panic("scoring.New: Store is required")
	}
	s := &Scorer{
		store: cfg.Store, routes: cfg.Routes, location: cfg.Location, calibrator: cfg.Calibrator,
		norms: newNorms(), replaced: cfg.Replaced,
	}
	var err error
	if s.named, err = cfg.Cohorts.compile(); err != nil {
		panic("scoring.New: " + err.Error())
	}
	if s.routes == nil {
		s.routes = route.New()
	}
	if s.versionHeaders = cfg.VersionHeaders; s.versionHeaders == nil {
		s.versionHeaders = route.VersionHeaders
	}
	s.headerLengths = lengthsOf(s.versionHeaders)
	if s.location == nil {
		s.location = time.UTC
	}
	if s.calibrator == nil {
		s.calibrator = calibrate.Uncalibrated{}
	}
	return s
}

// Begin counts the request in the records of all entities and judges it: who,
// from where, when, how fast. It sets ex.Route and ex.Assessment and learns
// nothing. Complete must follow.
func (s *Scorer) Begin(ex *Exchange) {
	sc := ex.scratch
	if sc == nil {
		sc = &scratch{}
		ex.scratch = sc
	}
	sc.findings.reset()
	sc.open, sc.failed = true, false
	sc.attempt.open = false
	sc.judged, sc.bytes, sc.records = judged{bytes: unjudged}, amount{v: -1}, amount{v: -1}
	ex.Assessment = Assessment{}
	// All records are asked for before the first is used, and what needs none of
	// them is done while they come.
	for k := range sc.keys[:entityKinds] {
		sc.keys[k] = ex.Entities[k].Key
	}
	sc.keys[profile.KindRoute] = profile.Key{}
	s.store.Expect(&sc.keys)
	ex.Route = s.routeOf(ex)
	sc.keys[profile.KindRoute] = routeKey(ex.Route.ID)
	s.store.Fetch(&sc.keys)
	if ex.Route.Object != 0 {
		s.store.Owners().Expect(ex.Route.Object)
	}

	now := seconds(ex.Time)
	sc.route, sc.answers = population{}, answers{}
	// Whether the table knows the route does not matter: after a restart it
	// knows none, and the populations are there.
	if rec, pin, ok := s.store.Find(routeKey(ex.Route.ID)); ok {
		if rec.Kind == profile.KindRoute {
			sc.route.read(rec)
			sc.answers.read(rec, now)
		}
		pin.Release()
	}
	if sc.touched = profile.Nobody; ex.Route.Object != 0 {
		sc.touched = s.store.Owners().Look(ex.Route.Object, principal(ex))
	}
	sc.who, sc.cohorts, sc.named = whoIs(ex, now), s.named, s.named.of(ex)
	local := ex.Time.In(s.location)
	sc.hour, sc.weekend = local.Hour(), weekend(local)
	for k := range sc.entities {
		sc.entities[k].forget()
		if ex.Entities[k].Kind != profile.KindNone {
			s.meet(ex, profile.Kind(k), now)
		}
	}
	sc.findings.assess(&ex.Assessment, s.calibrator, &sc.who)
	s.bound(ex)
}

// bound says what may leave: the least of what is usual for anybody here with
// habits. A stolen token is bound by its own history, whoever else is named.
func (s *Scorer) bound(ex *Exchange) {
	sc, a := ex.scratch, &ex.Assessment
	limit := func(d Detector) bound {
		bits := s.calibrator.Limit(&sc.who, &sc.findings.surprises, int(d))
		return bound{bits, quantiles.of(bits)}
	}
	one, ten := limit(Volume), limit(Bulk)
	for k := range sc.entities {
		e := &sc.entities[k]
		if !e.predictions.mature {
			continue
		}
		records := e.most(&e.predictions.records, oneRecords, one, ten, &sc.tails)
		a.Usual.Records = least(a.Usual.Records, records)
		bytes := ten
		if records > 0 {
			bytes = bound{} // of ten minutes' bytes nothing is said where their records are counted: see judgeVolume
		}
		a.Usual.Bytes = least(a.Usual.Bytes, e.most(&e.predictions.bytes, oneBytes, one, bytes, &sc.tails))
		a.Range = least(a.Range, e.predictions.bytes.mostly(&sc.tails))
	}
	a.Plain = sc.plain(a)
}

// least is the lesser of two bounds, of which 0 is none.
func least(a, b int64) int64 {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// meet counts and judges the request for one entity, under its record's lock.
func (s *Scorer) meet(ex *Exchange, kind profile.Kind, now uint32) {
	rec, pin, _ := s.store.Acquire(ex.Entities[kind].Key, kind, now)
	defer pin.Release() // a panic must not leave the lock behind
	if rec.Kind != kind {
		return // two kinds under one key; the record's layout is not ours
	}
	s.meetRecord(ex, kind, rec, pin, now)
}

// meetRecord is meet for a record that was acquired.
func (s *Scorer) meetRecord(ex *Exchange, kind profile.Kind, rec *profile.Record, pin profile.Pin, now uint32) {
	l := s.look(ex, rec, kind)
	l.roll(now)
	l.mature = mature(rec, l.now)
	l.entity.meet(pin.Handle(), rec, l.now)

	rec.InFlight = min(rec.InFlight, 1<<16-2) + 1
	if l.entity.foreign = l.foreign(); !l.entity.foreign {
		l.count()
	}
	if kind == profile.KindCaller {
		l.describe(&ex.Assessment)
	}
	if kind == stands(ex) {
		ex.scratch.who.Cohort, ex.scratch.who.Level = uint8(l.peers), uint8(levelOf(rec, l.now))
	}
	for _, d := range detectorsOf(kind) {
		d.judge(l)
	}
	if l.habits != nil {
		l.predict()
	}
}

// count takes the request into the rings.
func (l *look) count() {
	l.rec.Requests++
	r := &l.rec.Rings
	window.Add(r.Requests10s[:], tenSeconds, l.now, 1)
	window.Add(r.Requests1m[:], minute, l.now, 1)
	window.Add(r.Requests10m[:], tenMinutes, l.now, 1)
}

// foreign: the name is one that anybody can write, and neither the device nor
// the network is one that its owner was ever seen with. Such a request is
// counted when the upstream has accepted it and not before, or whoever knows a
// customer's name, and holds some requests open, would have the customer
// throttled.
func (l *look) foreign() bool {
	if l.habits == nil || !l.mature || l.ex.Entities[l.kind].Verified {
		return false
	}
	device, network := slotID(&l.ex.Entities[profile.KindDevice]), slotID(&l.ex.Entities[profile.KindNetwork])
	return device|network != 0 &&
		window.Slots(l.habits.Devices[:]).Weight(device) == 0 &&
		window.Slots(l.habits.Networks[:]).Weight(network) == 0
}

// look prepares the exchange's look at a locked record.
func (s *Scorer) look(ex *Exchange, rec *profile.Record, kind profile.Kind) *look {
	l := &ex.scratch.look
	*l = look{
		ex: ex, rec: rec, kind: kind, peers: cohortOf(rec), norms: s.norms, location: s.location,
		mature: mature(rec, rec.LastSeen),
	}
	if int(kind) < entityKinds { // a route is none of an exchange's
		l.entity = &ex.scratch.entities[kind]
	}
	if habitual(kind) {
		l.habits = rec.Habits()
	}
	if ex.scratch.named != CohortNew && kind == stands(ex) && l.habits != nil {
		l.peers = ex.scratch.named
	}
	l.cohort = s.norms.priors(kind, l.peers)
	return l
}

// describe tells about the caller as its profile stands.
func (l *look) describe(a *Assessment) {
	a.Age = time.Duration(l.now-min(l.rec.Created, l.now)) * time.Second
	a.Requests = l.rec.Accepted
	a.Mature = l.mature
	a.Peers = Peers{l.peers, levelOf(l.rec, l.now)}
	a.Cohort = l.ex.scratch.cohorts.names[l.peers]
	a.Confidence = ConfidenceOf(l.rec, l.now)
	a.Risk = l.risk()
	if id := slotID(&l.ex.Entities[profile.KindDevice]); id != 0 {
		a.Known = window.Slots(l.habits.Devices[:]).Weight(id) > 0
	}
}

// Answer judges the response's headers: Status is set, ResponseBytes is the
// declared size or -1.
func (s *Scorer) Answer(ex *Exchange, _ time.Time) { s.rejudge(ex) }

// Meter judges the body as far as it has passed: ResponseBytes and Records are
// what they are so far. It takes no lock and costs about as much as the chunk.
func (s *Scorer) Meter(ex *Exchange, _ time.Time) { s.rejudge(ex) }

func (s *Scorer) rejudge(ex *Exchange) {
	if ex.scratch == nil || !ex.scratch.open {
		return
	}
	sc, now := ex.scratch, judged{ex.Status, ex.ResponseBytes, ex.Records}
	if sc.judged == now {
		return // the end often brings nothing that the headers did not
	}
	sc.judged = now
	judgeVolume(ex)
	judgeFailure(ex)
	sc.findings.assess(&ex.Assessment, s.calibrator, &sc.who)
}

// unjudged is a size that no response has.
const unjudged = math.MinInt64

// judged is all that judging a response looks at.
type judged struct {
	status         int
	bytes, records int64
}

// RouteKey is where the record of a route is kept, with its name, by route.Match.ID.
func RouteKey(id uint32) profile.Key { return routeKey(id) }

// routeKey is where a route's population is kept. Identities' keys are keyed
// hashes of 128 bits, so none of them comes to lie here.
func routeKey(id uint32) profile.Key {
	return profile.Key{Hi: 0x7761_6E74_6564_2F72, Lo: uint64(id)}
}
