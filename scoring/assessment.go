package scoring

import (
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// Evidence is one detector's finding about one exchange.
type Evidence struct {
	Detector Detector
	Entity   profile.Kind
	Bits     float64       // surprise S = -log2 p: among peers once they are known, until then the model's
	Score    float64       // S log10 2, 0 to 12
	Share    float64       // of all that makes the score; 0 while peers are not known
	Observed float64       // in Unit
	Expected float64       // in Unit: what is usual for this entity
	Unit     string        // "requests", "bytes", "records", "objects", "hour", "share"
	Window   time.Duration // 0: this exchange alone

	telling   int8    // how much it says about what goes on
	raw, held float64 // bits: what peers are asked about, the model's as a rule, and those held back where it alone must not alarm
}

// MaxEvidence bounds the findings of one exchange.
const MaxEvidence = 16

// Assessment is what the scorer makes of an exchange.
type Assessment struct {
	Score     float64    // -log10 of the (calibrated) p-value, 0 to 12
	Threshold float64    // where the alert budget stands
	Anomalous bool       // Score >= Threshold
	Evidence  []Evidence // those that ran and found surprise: of what is certain what tells most, then what counts most; backed by the exchange

	// About the caller, as its profile stood when the request came.
	Age      time.Duration
	Requests uint32 // accepted
	Mature   bool
	Peers    Peers  // whom it is compared with
	Cohort   string // the name of Peers.Cohort; empty: there is no caller

	// Confidence is how much of what is expected of the caller is its own
	// history, 0 to 1: the rest is what its cohort does.
	Confidence float64

	Risk float64 // the fading sum of the evidence of its windows so far: see risk.go

	Known bool // its device has been seen before

	// Usual is the largest response on this route that would still pass as
	// ordinary for the caller, its credential, session and user, for each of
	// them that is mature; 0 where none is.
	Usual struct{ Bytes, Records int64 }

	// Range is what they mostly get, in bytes: one response in twenty is
	// larger; 0 where none is mature.
	Range int64

	// Plain: nothing is gained by looking at the response before it leaves. The
	// caller is mature, and whatever this route has ever answered is of one
	// record and of a size within Range. Set by Begin; see plain.go.
	Plain bool
}
