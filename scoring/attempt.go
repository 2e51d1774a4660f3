package scoring

import (
	"net/http"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// attempt is what an exchange's scratch holds of an attempt to sign in.
type attempt struct {
	open     bool   // Attempt was called
	familiar bool   // the user has signed in from this network before: no newcomer
	first    bool   // the user's first success in ten minutes
	subject  bool   // the entity user is the one who is to be signed in
	pair     uint64 // user and network
	user     uint64 // user alone
}

// Attempt judges whom the request tries to sign in: ex.SignIn is set. It comes
// between Begin and Answer, once, and is the moment at which the user becomes an
// entity of the exchange, unless an identity rule has named one.
//
// A user is found, not made: a name that was never let in gets no profile, or
// who tries a list of a million would push everybody else's out.
func (s *Scorer) Attempt(ex *Exchange) {
	sc := ex.scratch
	if sc == nil || !sc.open || sc.attempt.open || ex.SignIn.User == (profile.Key{}) {
		return
	}
	a := &sc.attempt
	*a = attempt{open: true, pair: pairOf(ex.SignIn.User, placeOf(ex)), user: pairOf(ex.SignIn.User, profile.Key{})}
	_, a.familiar = s.pairs.since(a.pair, seconds(ex.Time))
	if id := &ex.Entities[profile.KindUser]; id.Kind == profile.KindNone {
		*id = Identity{Kind: profile.KindUser, Key: ex.SignIn.User, Rule: "sign-in"}
		a.subject = true
		if rec, pin, ok := s.store.Find(id.Key); ok {
			s.meetUser(ex, rec, pin)
		}
	}
	if !a.familiar {
		s.judgeAttempt(ex)
	}
	sc.findings.assess(&ex.Assessment, s.calibrator, &sc.who)
	s.bound(ex)
}

// placeOf is where an attempt comes from, as far as its user is expected to come
// from there again: the network, since addresses change.
func placeOf(ex *Exchange) profile.Key {
	if id := &ex.Entities[profile.KindNetwork]; id.Kind != profile.KindNone {
		return id.Key
	}
	return ex.Entities[profile.KindAddress].Key
}

// meetUser counts and judges the attempt for the user that it names.
func (s *Scorer) meetUser(ex *Exchange, rec *profile.Record, pin profile.Pin) {
	defer pin.Release()
	if rec.Kind != profile.KindUser {
		return
	}
	network := slotID(&ex.Entities[profile.KindNetwork])
	if network != 0 && window.Slots(rec.Habits().Networks[:]).Weight(network) > 0 {
		ex.scratch.attempt.familiar = true
	}
	s.meetRecord(ex, profile.KindUser, rec, pin, seconds(ex.Time))
}

// attemptEnd is how an attempt went.
type attemptEnd uint8

const (
	undecided attemptEnd = iota // nobody knows: no answer, ours, the upstream's trouble
	failed
	succeeded
)

// outcomeOf says how the attempt went. What the upstream may answer to
// whomever, since it is too busy or too slow, is no failure to sign in.
func outcomeOf(ex *Exchange, end End) attemptEnd {
	switch status := ex.Status; {
	case !ex.scratch.attempt.open || end == Refused || status == 0:
		return undecided
	case ex.SignIn.Success.Hold(status):
		return succeeded
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return undecided
	}
	return failed
}

// signedIn takes a success to where it is remembered, and gives the user a
// profile.
func (s *Scorer) signedIn(ex *Exchange, now uint32) {
	sc := ex.scratch
	ago, known := s.pairs.since(sc.attempt.user, now)
	sc.attempt.first = !known || ago >= tenMinutes/minute
	s.pairs.add(sc.attempt.pair, now)
	s.pairs.add(sc.attempt.user, now)
	if e := &sc.entities[profile.KindUser]; sc.attempt.subject && e.handle == (profile.Handle{}) {
		rec, pin, _ := s.store.Acquire(ex.SignIn.User, profile.KindUser, now)
		defer pin.Release()
		if rec.Kind == profile.KindUser {
			s.meetRecord(ex, profile.KindUser, rec, pin, now)
		}
	}
}
