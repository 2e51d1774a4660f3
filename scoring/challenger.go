package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Challenger: what is anomalous is not learned, so a lawful and lasting change,
// a customer that has grown tenfold, would alarm for ever. What the upstream
// accepts of it is therefore collected apart, and takes the place of the stuck
// baseline when
//
//	time      it came on 5 days and in 10 sessions, and was the rule there,
//	cohort    its peers made the same step, or
//	operator  says so.
//
// A thief has as much patience as that. So only more of the same counts, not
// other things done; only what we let pass, since our denials prove nothing;
// nothing for a month after a device, a network or a country was new; and of
// itself no step beyond sixteenfold. Every takeover is announced.
//
// What is left to one who knows all this: from the owner's own machine, or with a
// device and a network that came quietly a month before, up to sixteen times the
// usual is told of for five days and is then the usual, unless something stops
// it; in shadow mode nothing does. Where half of a cohort is the attacker's, and
// mature, its members vouch for one another.
const (
	challengeDays     = 5
	challengeSessions = 10
	challengeWindows  = 6        // of ten minutes, before the peers are asked
	challengeIdle     = 14       // days after which it is forgotten
	noveltyRest       = 30       // days
	mostStep          = 4.0      // doublings
	challengeMemory   = 1.0 / 32 // what one more window weighs in the means, at least
)

// The quantities of a challenger.
const (
	stepRequests = iota
	stepNew
	stepBytes
	stepRecords
	stepResponse
	stepHour // requests; kept beside the others
	steps
)

// Flags of a challenger. Strange: the open ten minutes hold what is no growth,
// and are not collected. Due: it has grown, and is to be asked about at the
// next exchange's end, when everything is known that adopting it needs.
const (
	strange = 1 << iota
	due
)

// growth says whether a detector speaks of more of the same.
func growth(d Detector) bool {
	return d == Rate || d == Volume || d == Bulk || d == Drift || d == NewObjects
}

// challenge is called at every exchange's end.
func (l *look) challenge(end End, fate fate) {
	switch {
	case l.habits == nil || !l.mature:
	case end == Refused || end == Truncated:
		if l.ex.Assessment.Anomalous { // what passed beside what we stopped is no proof
			restart(&l.habits.Challenger)
		}
	case fate == answered:
		l.suspect()
		l.succeed()
	}
}

// suspect looks at an answered exchange with a challenger's eyes. It is called
// for everything the upstream accepted, so that a device that comes quietly the
// day before counts as well.
func (l *look) suspect() {
	h, day, found := l.habits, uint16(l.now/aDay), &l.ex.scratch.findings
	for i := range found.n {
		e := &found.evidence[i]
		switch {
		case e.Entity != l.kind:
		case novel(e):
			h.Behaviour.Novel = max(day, 1)
			h.Challenger.Flags |= strange
			restart(&h.Challenger)
		case !growth(e.Detector) && e.Score >= 2:
			h.Challenger.Flags |= strange
		}
	}
	if r := &l.entity.predictions.bytes.route; l.ex.Assessment.Anomalous && l.ex.scratch.bytes.v >= 0 && h.Challenger.Flags&strange == 0 {
		takeIn(&h.Challenger, stepResponse, (l.ex.scratch.bytes.log2-r.mu)/r.sigma)
	}
}

// novel: somebody else may have come.
func novel(e *Evidence) bool {
	switch e.Detector {
	case Device, Network, Country:
		return e.Observed == 0 // never seen, not only seldom
	case Takeover, Companion:
		return true
	}
	return false
}

// restart begins the days and sessions anew; what was collected stays for an
// operator to accept.
func restart(c *profile.Challenger) { c.Days, c.Sessions = 0, 0 }

// collect takes ten minutes that were anomalous and accepted.
func (l *look) collect(last uint32) {
	h := l.habits
	c := &h.Challenger
	if c.Flags&strange != 0 {
		c.Flags &^= strange
		return
	}
	l.expire(last)
	if c.Last == 0 || last-min(c.Last, last) >= sessionGap || last/shift != c.Last/shift {
		increase(&c.Sessions)
	}
	if last/aDay != c.Last/aDay {
		increase(&c.Days)
	}
	c.Last = max(last, 1)
	r := &l.rec.HabitRings
	takeIn(c, stepRequests, float64(l.rec.Open[1]))
	takeIn(c, stepNew, float64(h.Open.New10m))
	if v := window.CurrentValue(r.Bytes10m[:], tenMinutes, last); v > 0 {
		takeIn(c, stepBytes, window.Log2(1+v))
	}
	if v := window.CurrentValue(r.Records10m[:], tenMinutes, last); v > 0 {
		takeIn(c, stepRecords, window.Log2(1+v))
	}
	c.Flags |= due
}

// collectHour takes an hour that was anomalous: its sum tells what ten minutes
// do not, that there are more of them.
func (l *look) collectHour(accepted float64) {
	c := &l.habits.Challenger
	if mean := float64(window.Minifloat(c.Hour).Decode()); mean > 0 {
		accepted = mean + (accepted-mean)/8
	}
	c.Hour = uint16(window.Encode(uint64(accepted)))
}

// ordinary counts ten minutes that were learned. Where those are the rule, what
// is anomalous now and then is an exception and no change.
func (l *look) ordinary(last uint32) {
	c := &l.habits.Challenger
	c.Flags &^= strange
	if c.Last == 0 {
		return
	}
	l.expire(last)
	if increase(&c.Ordinary); c.Ordinary == math.MaxUint8 {
		c.Ordinary /= 2
		for i := range c.N {
			c.N[i] /= 2
		}
	}
	if int(c.Ordinary) > 2*int(c.N[stepRequests])+36 {
		*c = profile.Challenger{}
	}
}

// expire forgets a challenger that nothing was heard of for long.
func (l *look) expire(now uint32) {
	if c := &l.habits.Challenger; c.Last != 0 && now/aDay-min(c.Last/aDay, now/aDay) > challengeIdle {
		*c = profile.Challenger{}
	}
}

func takeIn(c *profile.Challenger, of int, x float64) {
	increase(&c.N[of])
	mean := finite(c.Mean[of], -64, 1e6)
	c.Mean[of] = float32(mean + (x-mean)*max(1/float64(c.N[of]), challengeMemory))
}

func increase(n *uint8) { *n = min(*n, math.MaxUint8-1) + 1 }
