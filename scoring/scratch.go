package scoring

import (
	"math"
	"time"

	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/profile"
)

// scratch is what the scorer keeps with an exchange between Begin and Complete.
// Whatever an interface call would make escape lies here too, so that scoring
// allocates nothing. It is large, and of what an exchange leaves in it the next
// one clears only what it would read.
type scratch struct {
	findings findings
	look     look
	entities [entityKinds]entity
	keys     profile.Keys
	route    population // the route's, as it stood at Begin
	attempt  attempt
	touched  profile.Touched // by whom the object was touched so far
	answers  answers         // and what it has answered
	who      calibrate.Who   // stands for the exchange
	outcome  calibrate.Outcome
	slow     float64 // e-value of the ten minutes before, once they are over; else 0
	tails    tails
	judged   judged // what of the response was judged last
	bytes    amount // of the response, as it was judged last
	records  amount
	hour     int // of the request's day, in the configured time zone
	weekend  bool
	cohorts  *namedCohorts
	named    Cohort // that an operator's rule says; CohortNew: none does
	open     bool   // Begin was called and Complete was not
	failed   bool   // the answer was judged as an error
}

// entityKinds is how many kinds an exchange's entities have: caller to device.
const entityKinds = int(profile.KindDevice) + 1

// entity is one entity's part of the scratch.
type entity struct {
	handle      profile.Handle
	foreign     bool   // not counted in any ring before it is accepted
	newObject   bool   // counted in the rings of new objects
	newPartner  bool   // counted in the ring of companions
	from        uint16 // at Complete: the route before, where there was another
	predictions predictions
	precedents  precedents
	failing     failing
	trying      trying
	walk        walk
}

// forget makes the entity one that is not there.
func (e *entity) forget() {
	e.handle, e.from = profile.Handle{}, 0
	e.predictions.known, e.predictions.mature, e.failing.known, e.trying.known = false, false, false, false
}

// meet makes it one that is, of which nothing is found yet.
func (e *entity) meet(handle profile.Handle, rec *profile.Record, now uint32) {
	e.handle = handle
	e.foreign, e.newObject, e.newPartner, e.from = false, false, false, 0
	e.walk = walk{}
	e.precedents.read(rec, now)
}

// look is one entity's record, locked, as one exchange meets it.
type look struct {
	ex       *Exchange
	rec      *profile.Record
	habits   *profile.Habits // nil for crowds
	kind     profile.Kind
	location *time.Location
	cohort   *priors // what is believed of its peers
	peers    Cohort
	norms    *norms
	by       By // what its baseline was replaced by the word of, just now
	times    float64
	entity   *entity
	now      uint32
	mature   bool
	session  bool                                             // at Complete: this is the first accepted request in 30 minutes
	context  struct{ device, network, country, hour float64 } // p of what is new here; 0: it is not new
}

// find hands a finding on. What a crowd does stays held back for good: nobody is
// stopped for a neighbour. A record that is not mature may not alarm by the
// model alone, but by being odd among others as young.
func (l *look) find(e Evidence) { l.findHeld(e, math.Inf(1)) }

// findSubdued is find for what may not alarm by the model alone.
func (l *look) findSubdued(e Evidence) { l.findHeld(e, subdued) }

func (l *look) findHeld(e Evidence, most float64) {
	e.Entity = l.kind
	if e.raw == 0 {
		e.raw = e.Bits // else peers are asked about something else than the model
	}
	e.raw = min(e.raw, l.cohort.ceiling)
	e.held = min(e.Bits, l.cohort.ceiling, most)
	if !l.mature {
		e.held = min(e.held, subdued)
	}
	l.ex.scratch.findings.add(e)
}

// Reset makes the exchange as good as new but keeps what it has allocated.
func (ex *Exchange) Reset() {
	clear(ex.Headers) // the buffers they point into go their own way
	clear(ex.Metadata)
	if ex.scratch != nil {
		ex.scratch.open = false
	}
	headers, metadata, names, scratch := ex.Headers[:0], ex.Metadata[:0], ex.Names[:0], ex.scratch
	*ex = Exchange{} // in place: a literal with these would be made elsewhere and copied
	ex.Headers, ex.Metadata, ex.Names, ex.scratch = headers, metadata, names, scratch
}
