package scoring

import (
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Behaviour classes are told apart by when somebody comes and how evenly, from
// what the record knows anyway, once a day:
//
//	batch    in an hour or a few of the day, whatever the day; or a run now and
//	         then that dwarfs what comes between
//	poller   hour by hour the same, or around the clock about as much
//	service  most hours of the day, about as much in each
//	bursty   around the clock unevenly, or at a pace that no hand keeps, and
//	         seldom as much as the time before
//	person   the rest: at its hours of the day, at its own pace
//
// They need no configuration and are no verdict: a class says only whose peers
// somebody is judged among.
const (
	fewHours    = 4.5  // effective hours of the day of a batch, at most
	oneHour     = 2.0  // the same where little is known
	roundClock  = 16.0 // effective hours of who comes day and night, at least
	sameHours   = 0.04 // dispersion of the requests of an hour, of who does the same in each
	evenHours   = 0.2  // and about the same
	dayHours    = 9    // active hours of a day of who is there all day, at least
	halfDay     = 6    // the same of a poller that sleeps at night
	dayEven     = 1.0  // and about as much in each
	unevenTimes = 0.5  // dispersion of the requests of ten minutes, of a program that comes in bursts
	rareRuns    = 4.0  // and of a run that dwarfs the rest
	handPace    = 8.0  // requests in an active minute that a person makes, at most
)

// The first class counts at once: who belongs nowhere is judged among all sorts.
// Another must hold for some days before it takes its place: a week of holidays,
// or the two days in the year whose clock is changed, make nobody somebody else.
// Only days with a lesson count.
const (
	otherClassDays = 5
	classHours     = 3 // active hours that are known, at least
	manyHours      = 12
)

// behaviour is the class that the record looks like now; CohortNew: too little
// is known.
func behaviour(rec *profile.Record) Cohort {
	h, b := rec.Habits(), &rec.Baseline
	visits := h.Hours.Total()
	if !(visits >= classHours) {
		return CohortNew
	}
	hours, hourly, tenMinutely := effectiveHours(&h.Hours), dispersion(&b.Requests1h), dispersion(&b.Requests10m)
	few := fewHours
	if cohortOf(rec) == CohortBatch {
		few++ // a clock that is changed spreads its hours over one more, for months
	}
	switch {
	case hours <= oneHour, hours <= few && visits >= manyHours, tenMinutely >= rareRuns:
		return CohortBatch
	case hourly <= sameHours && visits >= manyHours && h.Behaviour.Hours >= halfDay, hours >= roundClock && hourly <= evenHours:
		return CohortPoller
	case h.Behaviour.Hours >= dayHours && hourly <= dayEven:
		return CohortService
	case hours >= roundClock, tenMinutely >= unevenTimes && b.Requests1m.Mean > handPace:
		return CohortBursty
	}
	return CohortPerson
}

// effectiveHours is how many hours of the day, equally used, would be as spread
// as these: 1/sum p^2, 1 to 24. Weekdays and weekends count together.
func effectiveHours(h *window.Hours) float64 {
	sum, squares := 0.0, 0.0
	for i := range h.Cells[0] {
		n := float64(h.Cells[0][i]) + float64(h.Cells[1][i])
		sum += n
		squares += n * n
	}
	if squares == 0 {
		return 0
	}
	return sum * sum / squares
}

// dispersion is how far a count varies beyond chance, 1/r = (variance -
// mean)/mean^2: 0 for a Poisson's, 1 where it is as often nothing as the double.
func dispersion(m *window.Moments) float64 {
	mean := finite(m.Mean, 0, 1e6)
	if mean == 0 {
		return 0
	}
	return max(m.Var()-mean, 0) / (mean * mean)
}

// behave lets a day's look at the behaviour count. The class changes when
// another has held for long enough without a break.
func behave(rec *profile.Record) {
	if !habitual(rec.Kind) {
		return
	}
	state, is, like := &rec.Habits().Behaviour, cohortOf(rec), behaviour(rec)
	rec.Cohort, state.Hours = uint8(is), 0
	switch {
	case like == is || like == CohortNew:
		state.Candidate, state.Streak = 0, 0
		return
	case state.Candidate != uint8(like):
		state.Candidate, state.Streak = uint8(like), 0
	}
	state.Streak = min(state.Streak, 1<<8-2) + 1
	if is == CohortNew || state.Streak >= otherClassDays {
		rec.Cohort, state.Candidate, state.Streak = uint8(like), 0, 0
	}
}
