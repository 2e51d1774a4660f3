package scoring

import "github.com/wonted-project/wonted/scoring/profile"

// Maturity: everything about a new caller is new, so a profile may not alarm
// before it has seen some of everything. Five sessions over at least a day tell
// what recurs; fifty requests tell how they vary.
const (
	matureRequests = 50
	matureSessions = 5
	matureAge      = aDay

	// What it does for the first time may still set precedents until then: a job
	// that runs as the day is over would be cut in two.
	firstRuns = 2 * aDay
)

func mature(rec *profile.Record, now uint32) bool {
	return rec.Accepted >= matureRequests && now >= rec.Created && now-rec.Created >= matureAge &&
		(rec.Sessions >= matureSessions || !habitual(rec.Kind)) // crowds have no sessions
}

// Level is how far a profile has come.
type Level uint8

// The levels. A warming profile's baselines speak in full, but not all of its
// habits are known yet.
const (
	Cold Level = iota
	Warming
	Mature
	Levels int = iota
)

var levelNames = [Levels]string{"cold", "warming", "mature"}

// String is the level's name in reports and metrics.
func (l Level) String() string { return levelNames[min(int(l), Levels-1)] }

func levelOf(rec *profile.Record, now uint32) Level {
	switch {
	case mature(rec, now):
		return Mature
	case rec.Accepted >= matureRequests && rec.Baseline.Requests10m.N >= shrinkage:
		return Warming
	}
	return Cold
}

// ConfidenceOf is how much of what is expected of an entity is its own history, 0 to 1:
//
//	n/(n+12) min(1, requests/50, sessions/5, age/day)
//
// with n active windows of ten minutes; now is in seconds since the epoch. The rest is what its cohort does.
func ConfidenceOf(rec *profile.Record, now uint32) float64 {
	n := finite(rec.Baseline.Requests10m.N, 0, 1e6)
	known := min(1, float64(rec.Accepted)/matureRequests, float64(now-min(rec.Created, now))/matureAge)
	if habitual(rec.Kind) {
		known = min(known, float64(rec.Sessions)/matureSessions)
	}
	return known * n / (n + shrinkage)
}
