package scoring

import "github.com/wonted-project/wonted/scoring/profile"

// Cohort groups identities that behave alike, so that each is judged among its
// peers. Numbers are kept in records.
type Cohort uint8

// The cohorts. Behaviour classes are found, see behaviour.go; from FirstNamed on
// they are the operator's, in the order of the configuration.
const (
	CohortNew     Cohort = iota // not known well enough, or with no habits of its own: an address, a network, a device
	CohortPerson                // comes at its hours of the day
	CohortPoller                // around the clock, evenly
	CohortBatch                 // an hour or a few of the day, every time the same
	CohortBursty                // at any time, and seldom as much as the time before
	CohortService               // through the day, hour by hour

	FirstNamed Cohort = 8
	Cohorts    int    = 16
)

var cohortNames = [FirstNamed]string{"new", "person", "poller", "batch", "bursty", "service", "new", "new"}

// String is the cohort's name in policies and metrics; "named" is one of the
// operator's, whose name the scorer knows.
func (c Cohort) String() string {
	if c < FirstNamed {
		return cohortNames[c]
	}
	return "named"
}

// Peers are whom an identity is compared with: its cohort, as far as they have come.
type Peers struct {
	Cohort Cohort
	Level  Level
}

// cohortOf is the class in the record. A number that means nothing is no class.
func cohortOf(rec *profile.Record) Cohort {
	if c := Cohort(rec.Cohort); c <= CohortService {
		return c
	}
	return CohortNew
}

// PeersOf are those that a record is compared with, unless an operator's rule
// says otherwise of an exchange. now is in seconds since the epoch.
func PeersOf(rec *profile.Record, now uint32) Peers { return Peers{cohortOf(rec), levelOf(rec, now)} }
