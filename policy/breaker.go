package policy

import (
	"fmt"
	"math"
	"math/bits"
	"sync"
	"time"

	"github.com/wonted-project/wonted/scoring"
)

// The enforcement breaker takes a rule out of force that suddenly stops whom
// nothing speaks against: a bad rule, or a good one whose world has changed. It
// counts by the minute, for each rule, the exchanges of callers in good standing
// that the rule wants stopped, and such callers. A minute is too much where
//
//	a share of exchanges     at least 10 by 3 callers, and by far more than 0.5 %
//	of all that were judged, or than what the rule has learned, if that is more; or
//	a number of callers      by far more than 10, or than what it has learned.
//
// By far more than m is: three times, and with a probability of 1e-9 at the most
// if m were right, by Chernoff's bound of a Poisson tail:
//
//	ln P(X >= k) <= k - m - k ln(k/m)
//
// so that a rule about which nothing is known may stop 36 callers in good standing
// a minute. It is asked at each such exchange, so that what is wrong shows after
// the first few. Learned is the mean over minutes in which the rule hit anybody in
// good standing, with a half-life of 50; a minute that was too much teaches nothing.
//
// An attack is no reason: whoever is new, anomalous or at risk is not counted,
// be they 900 addresses. So it guards nobody on the first day, when all are new:
// to count them would have scanners open the door that a rule keeps shut. Whoever holds some forty accounts in good standing can
// have a rule demoted; a rule that must hold even then has the setting
// `breaker: false`.
const (
	leastHits    = 10
	leastCallers = 3
	freeShare    = 0.005
	freeCallers  = 10.0
	farMore      = 3.0
	improbable   = 20.72 // -ln 1e-9
	slowness     = 50.0  // minutes with hits until half is learned anew
	lowRisk      = 3.0   // three times what an honest caller collects who is there all day
)

// tooMany: k is by far more than m.
func tooMany(k, m float64) bool {
	return k >= farMore*m && k*math.Log(k/m)-(k-m) >= improbable
}

// breaker is one rule's.
type breaker struct {
	mu      sync.Mutex
	minute  int64 // that is counted, since 1970; 0: none so far
	hits    int64
	callers crowd
	learned learned
	peak    learned // the most of a minute since it was demoted
	trip    trip
}

// learned is what is usual for a rule in a minute in which it hits anybody in
// good standing.
type learned struct {
	Share   float64 `json:"share"`   // of all exchanges
	Callers float64 `json:"callers"` // in good standing
	Minutes float64 `json:"minutes"`
}

func (l *learned) take(share, callers float64) {
	step := max(1-math.Exp2(-1/slowness), 1/(l.Minutes+5))
	l.Share += step * (share - l.Share)
	l.Callers += step * (callers - l.Callers)
	l.Minutes++
}

// excess says what is too much about a minute, "" if nothing is.
func (l *learned) excess(hits, callers, judged float64) string {
	share := max(freeShare, l.Share)
	switch {
	case hits >= leastHits && callers >= leastCallers && judged > 0 && tooMany(hits, share*judged):
		return fmt.Sprintf("%.0f of %.0f exchanges in a minute, %.3g %%, are of callers in good standing, where %.3g %% are usual",
			hits, judged, 100*hits/judged, 100*share)
	case tooMany(callers, max(freeCallers, l.Callers)):
		return fmt.Sprintf("%.0f callers in good standing in a minute, where %.0f are usual", callers, max(freeCallers, l.Callers))
	}
	return ""
}

// trip is a rule's demotion, or what is left of the last one.
type trip struct {
	Demoted bool      `json:"demoted"`
	Since   time.Time `json:"since"` // it was demoted, or is back
	Why     string    `json:"why"`
	Count   int       `json:"count"` // in a row: each doubles the time until it comes back by itself
	quiet   int64     // minutes since that were not too much
}

// note counts an exchange that a caller in good standing sent, in a minute of
// which so many exchanges are judged, and answers whether the rule is demoted
// because of it.
func (b *breaker) note(caller uint64, now time.Time, judged float64) (why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hits++
	b.callers.add(caller)
	if b.trip.Demoted {
		return ""
	}
	why = b.learned.excess(float64(b.hits), b.callers.count(), judged)
	if why == "" {
		return ""
	}
	if now.Sub(b.trip.Since) > maxQuiet {
		b.trip.Count = 0
	}
	b.trip = trip{Demoted: true, Since: now, Why: why, Count: b.trip.Count + 1}
	b.peak = learned{Share: float64(b.hits) / max(judged, 1), Callers: b.callers.count()}
	return why
}

// turn closes the minute that is counted, if m is a later one; judged is what the
// minute before m had, 0 where that is not known. It answers whether the rule is
// back in force.
func (b *breaker) turn(m int64, judged float64, now time.Time, quiet time.Duration) (back bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	past := m - b.minute
	if b.minute == 0 { // the first since the process began: what came before is not known to have been quiet
		b.minute = m
		return false
	}
	if past <= 0 {
		return false
	}
	hits, callers := float64(b.hits), b.callers.count()
	b.minute, b.hits, b.callers = m, 0, crowd{}
	if judged > 0 {
		b.peak.Share, b.peak.Callers = max(b.peak.Share, hits/judged), max(b.peak.Callers, callers)
	}
	switch {
	case b.trip.Demoted && b.learned.excess(hits, callers, judged) != "":
		b.trip.quiet = past - 1
	case b.trip.Demoted:
		b.trip.quiet += past
	case hits > 0 && past == 1 && judged > 0:
		b.learned.take(hits/judged, callers)
	}
	if !b.trip.Demoted || time.Duration(b.trip.quiet)*time.Minute < wait(quiet, b.trip.Count) {
		return false
	}
	b.trip.Demoted, b.trip.Since = false, now
	return true
}

// maxQuiet bounds how long a rule has to be quiet, and how long a demotion is
// held against it.
const maxQuiet = 24 * time.Hour

// wait is for how long a rule has to be quiet that was demoted so often in a row.
func wait(quiet time.Duration, trips int) time.Duration {
	return min(maxQuiet, quiet<<min(max(trips-1, 0), 10))
}

// restore puts the rule in force again, and takes the most that it did in a minute
// for usual, the one that is counted included, of which so many exchanges are
// judged: who says so has looked.
func (b *breaker) restore(now time.Time, judged float64) (was bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was = b.trip.Demoted
	if was {
		b.learned.Share = max(b.learned.Share, b.peak.Share, float64(b.hits)/max(judged, 1))
		b.learned.Callers = max(b.learned.Callers, b.peak.Callers, b.callers.count())
		b.trip = trip{Since: now}
	}
	return was
}

// demoted answers whether the rule is.
func (b *breaker) demoted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.trip.Demoted
}

// crowd counts different callers in a bitmap (linear counting: Whang, 1990): to
// one or two up to a hundred, and no further than some thousands.
type crowd [16]uint64

func (c *crowd) add(caller uint64) { c[caller>>6&15] |= 1 << (caller & 63) }

func (c *crowd) count() float64 {
	const all = 64 * 16.0
	set := 0
	for _, word := range c {
		set += bits.OnesCount64(word)
	}
	return math.Round(all * math.Log(all/max(0.5, all-float64(set))))
}

// goodStanding: enough is known of who sent it, and nothing speaks against them.
func goodStanding(a *scoring.Assessment) bool {
	return a.Mature && !a.Anomalous && a.Score < a.Threshold-1 && a.Risk < lowRisk
}
