package scoring

import (
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Stuffing: many user names fail to sign in that never signed in from there. A
// stolen list of names and passwords is tried from one address, or from a
// thousand with one or two tries each; a few common passwords are tried on
// everybody (spraying), which looks the same to who does not look at passwords.
//
// What is counted are distinct names among the failures of newcomers: of users
// who have not signed in from this network before. They are counted where they
// come from, address, network and device, and at the sign-in route as a whole,
// since a campaign that is spread thinly enough shows nowhere else. What is
// usual is learned for each; and as it is the share of newcomers who fail that
// tells people from lists, half as many as the newcomers who succeed are usual
// wherever that is more:
//
//	expected = max(m, N/2)
//
// with m the mean of ten minutes and N the newcomers who succeeded in the last
// ten. So an office whose people mistype, a carrier whose customers come from
// another address every day, and a wave of forgotten passwords, after which
// people do sign in, are quiet; of a stolen list one name in a hundred succeeds.
// A newcomer's success counts once in ten minutes: accounts of one's own do not
// buy many failures.
//
// Evidence against a crowd stops nobody else (see cohort.go). Here it may alarm,
// for it is spoken only about what is part of it: an attempt of a newcomer. Who
// signs in from where they always do is not asked.
//
// A name that the upstream refuses is a failure of where it comes from, as in
// failures.go; what we refuse ourselves is none. So while a list is refused here
// its failures are forgotten, and every ten to twenty minutes some names are let
// through to the upstream, until they are too many again.
type newcomers struct {
	failed    float64 // distinct names, in the last ten minutes
	succeeded float64 // users, likewise
}

// crowds are the kinds that attempts are counted for, beside the route.
var crowds = [...]profile.Kind{profile.KindAddress, profile.KindNetwork, profile.KindDevice}

// judgeAttempt asks every crowd that the attempt of a newcomer belongs to.
func (s *Scorer) judgeAttempt(ex *Exchange) {
	now := seconds(ex.Time)
	for _, kind := range crowds {
		if rec, pin, ok := s.store.FindHandle(ex.scratch.entities[kind].handle); ok {
			s.judgeCrowd(ex, rec, kind, now)
			pin.Release()
		}
	}
	if rec, pin, ok := s.store.Find(loginKey(ex.Route.ID)); ok {
		if rec.Kind == profile.KindLogin {
			s.judgeCrowd(ex, rec, profile.KindLogin, now)
		}
		pin.Release()
	}
}

func (s *Scorer) judgeCrowd(ex *Exchange, rec *profile.Record, kind profile.Kind, now uint32) {
	l := s.look(ex, rec, kind)
	l.roll(now)
	in, p := &rec.Crowd().SignIns, &l.cohort.failedUsers
	n := newcomersOf(in, l.now)
	e := Evidence{Detector: Stuffing, Entity: kind, Unit: "user names", Observed: n.failed, Window: 10 * time.Minute}
	e.Bits, e.Expected = n.bits(p, &in.Usual)
	e.raw, e.held = e.Bits, e.Bits
	ex.scratch.findings.add(e)
}

// newcomersOf reads the last ten minutes from two buckets, as window.Sliding does.
func newcomersOf(in *profile.SignIns, now uint32) newcomers {
	left := 1 - float64(now%tenMinutes)/tenMinutes
	return newcomers{
		failed:    in.Users[0].Estimate() + left*in.Users[1].Estimate(),
		succeeded: window.Sliding(in.Successes[:], tenMinutes, now),
	}
}

// bits is the surprise of so many failures. Unlike other baselines this one is
// believed from the start: an address that was never seen before is what stuffing
// comes from, and no habit would tell more than its failures do.
func (c newcomers) bits(p *countPrior, usual *window.Moments) (bits, expected float64) {
	n := finite(usual.N, 0, 1e6)
	mean := finite(usual.Mean, p.least, 1e6)
	expected = max((n*mean+priorWindows*p.mean)/(n+priorWindows), c.succeeded/2)
	if c.failed-0.5 <= 1.5*expected {
		return ordinary, expected
	}
	return max(ordinary, countBits(c.failed, expected, p.regularity(n, mean, usual.Var()))), expected
}

// countAttempt notes how an attempt went, in every crowd that it belongs to.
func (s *Scorer) countAttempt(ex *Exchange, how attemptEnd, now uint32) {
	if !ex.scratch.attempt.open {
		return
	}
	for _, kind := range crowds {
		if rec, pin, ok := s.store.FindHandle(ex.scratch.entities[kind].handle); ok {
			s.countCrowd(ex, rec, kind, how, now)
			pin.Release()
		}
	}
	// Only a route that is known gets a record: clients can invent others, and
	// such records stay.
	if rec, pin, ok := s.loginRecord(ex, now); ok {
		if rec.Kind == profile.KindLogin {
			s.countCrowd(ex, rec, profile.KindLogin, how, now)
		}
		pin.Release()
	}
}

func (s *Scorer) loginRecord(ex *Exchange, now uint32) (*profile.Record, profile.Pin, bool) {
	if !ex.Route.Known {
		return s.store.Find(loginKey(ex.Route.ID))
	}
	rec, pin, _ := s.store.Acquire(loginKey(ex.Route.ID), profile.KindLogin, now)
	return rec, pin, true
}

func (s *Scorer) countCrowd(ex *Exchange, rec *profile.Record, kind profile.Kind, how attemptEnd, now uint32) {
	l := s.look(ex, rec, kind)
	l.roll(now)
	if kind == profile.KindLogin {
		rec.Name = profile.NameOf(ex.Route.Name)
		rec.Requests++
		if how == succeeded {
			rec.Accepted++
		}
	}
	a, in := &ex.scratch.attempt, &rec.Crowd().SignIns
	window.Add(in.Attempts[:], tenMinutes, l.now, 1)
	switch {
	case a.familiar:
	case how == failed:
		window.Add(in.Failures[:], tenMinutes, l.now, 1)
		in.Users[0].Add(a.user)
	case how == succeeded && a.first:
		window.Add(in.Successes[:], tenMinutes, l.now, 1)
	}
	if ex.Assessment.Anomalous && !a.familiar {
		rec.Flags |= taintedTen // what is part of a campaign is not usual
	}
}

// closeSignIns takes the ten minutes that held last into what is usual, if
// anybody tried to sign in.
func (l *look) closeSignIns(last uint32) {
	in := &l.rec.Crowd().SignIns
	if window.Current(in.Attempts[:], tenMinutes, last) > 0 {
		l.close(taintedTen, in.Users[0].Estimate(), &in.Usual, &l.cohort.failedUsers, decay10m)
	}
}

// rollSignIns lets the buckets pass that did, from last to now.
func (l *look) rollSignIns(last, now uint32) {
	in := &l.rec.Crowd().SignIns
	if window.Passed(tenMinutes, last, now) == 1 {
		in.Users[1] = in.Users[0]
	} else {
		in.Users[1] = window.HLL{}
	}
	in.Users[0] = window.HLL{}
	window.Advance(in.Attempts[:], tenMinutes, last, now)
	window.Advance(in.Failures[:], tenMinutes, last, now)
	window.Advance(in.Successes[:], tenMinutes, last, now)
}

// loginKey is where a sign-in route as a whole is kept, beside its population.
func loginKey(route uint32) profile.Key {
	return profile.Key{Hi: 0x7761_6E74_6564_2F6C, Lo: uint64(route)}
}
