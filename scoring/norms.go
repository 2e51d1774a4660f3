package scoring

import (
	"sync"
	"sync/atomic"

	"github.com/wonted-project/wonted/scoring/profile"
)

// Norms are what the members of each cohort have in common. They are learned
// slowly: one contribution an identity and day, from mature profiles only, in
// medians, and what follows of them moves by a bounded step a day. So whoever
// wants to move them needs as many mature identities as half of a cohort has,
// and many days.
//
// From them come (traits.go) what is believed of a member that is new, and
// (shifts.go) how far everybody has moved lately, which is no single one's doing.
//
// A contribution takes the lock for a microsecond, once a day and identity; what
// a request reads is a table behind an atomic pointer.
type norms struct {
	mu   sync.Mutex
	day  uint32 // that contributions are counted for, since the epoch
	all  [Cohorts]norm
	said atomic.Pointer[table]

	rehearsal bool // contributions do not count
}

// norm is what is counted of one cohort. CohortNew's is of everybody: who is new
// leans on the deployment as a whole.
type norm struct {
	Traits traits
	Today  shifts
	Last   medians // of the day before; none where too few came
}

// table is what the norms come to. It is never changed, but replaced.
type table struct {
	beliefs [Cohorts]belief
	priors  [Cohorts]priors // of whoever has habits: what the beliefs come to
	drift   [Cohorts][gaps]float64
}

func newNorms() *norms {
	n := &norms{}
	n.said.Store(tableOf(&n.all, &table{}))
	return n
}

// priors are what is believed of somebody of a kind and cohort.
func (n *norms) priors(kind profile.Kind, cohort Cohort) *priors {
	if !habitual(kind) {
		return priorsOf(kind)
	}
	return &n.said.Load().priors[cohort]
}

// contribute takes a mature identity's day. day counts from the epoch.
func (n *norms) contribute(l *look, day uint32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rehearsal {
		return
	}
	n.turn(day)
	moved := l.moved()
	for _, c := range [...]Cohort{CohortNew, l.peers} {
		n.all[c].Traits.add(l.rec)
		n.all[c].Today.add(&moved)
		if l.peers == CohortNew {
			break
		}
	}
}

// turn begins another day: the one before is summed up. A log that is not quite
// in order does not turn the day back; a clock that is set right does.
func (n *norms) turn(day uint32) {
	if day <= n.day && n.day-day <= 1 {
		return
	}
	if n.day != 0 {
		n.sumUp()
	}
	n.day = day
}

func (n *norms) sumUp() {
	before := n.said.Load()
	for c := range n.all {
		n.all[c].Last, n.all[c].Today = n.all[c].Today.medians(), shifts{}
	}
	n.said.Store(tableOf(&n.all, before))
	for c := range n.all {
		n.all[c].Traits.fade()
	}
}

// tableOf says what the norms come to, not too far from what was said before.
func tableOf(all *[Cohorts]norm, before *table) *table {
	next := &table{}
	parent := beliefIn(&habits)
	for c := range all {
		next.beliefs[c] = all[c].Traits.belief(&before.beliefs[c], &parent)
		if Cohort(c) == CohortNew {
			parent = next.beliefs[c]
		}
		next.priors[c] = next.beliefs[c].priors()
		next.drift[c] = drifts(&all[c].Last, &all[CohortNew].Last)
	}
	return next
}

// Rehearse says whether what comes is only played: what cohorts have in common
// is not learned of it then. What records learn of it is for the caller to undo.
func (s *Scorer) Rehearse(on bool) {
	s.norms.mu.Lock()
	defer s.norms.mu.Unlock()
	s.norms.rehearsal = on
}
