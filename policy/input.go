package policy

import (
	"context"
	"errors"
	"time"

	"github.com/wonted-project/wonted/scoring"
)

// Phase says how much of an exchange is known when a decision is asked for.
type Phase uint8

// The phases, in the order in which they come.
const (
	PhaseRequest  Phase = iota // the request headers; and again, once it is known whom the request signs in (Gate.Attempt)
	PhaseResponse              // the response headers: status, declared size
	PhaseBody                  // the response body as far as it has passed: size, records
	phases        int   = iota
)

var phaseNames = [phases]string{"request", "response", "body"}

// String is the phase's name as policies read it (input.phase).
func (p Phase) String() string { return name(phaseNames[:], uint8(p), "phase") }

// Input is what a decision may be based on. The Gate owns it and reuses it; a
// Decider keeps no reference after it returns.
type Input struct {
	Exchange *scoring.Exchange
	Phase    Phase
	Mode     Mode
	Now      time.Time // in the configured time zone
	Degraded []string  // parts of wonted that are not at their best, by name
	Held     []*Block  // that the exchange's entities are under, in shadow or not
}

// Decider decides. It is safe for concurrent use. Decide gives up with
// ctx.Err() when ctx ends; a nil or Undecided Decision counts as a failure.
// The Decision is immutable from then on.
type Decider interface {
	Decide(ctx context.Context, in *Input) (*Decision, error)
	// Reads says whether a decision at phase could differ from one made at the
	// phase before because of what the phase itself brings.
	Reads(Phase) bool
}

// ErrContract is wrapped by a Decider whose policy answered with something
// that the contract does not allow.
var ErrContract = errors.New("the policy broke its contract")

// Scorer says how unusual an exchange is; *scoring.Scorer is the one.
type Scorer interface {
	Begin(ex *scoring.Exchange)
	Attempt(ex *scoring.Exchange)
	Answer(ex *scoring.Exchange, now time.Time)
	Meter(ex *scoring.Exchange, now time.Time)
	Complete(ex *scoring.Exchange, end scoring.End, now time.Time)
}

// Sink takes the report of every exchange that was not plainly allowed, once,
// when it is over. It must not block: it is called in the request path.
type Sink interface {
	Report(*Report)
}

// Recorder takes down every exchange, once, when it is over and learned. It
// must not block, and keeps nothing of the Case, which is reused.
type Recorder interface {
	Record(c *Case, end scoring.End)
}

// Excepter knows who is excepted from rules for a time. It is asked about what
// some rule wants stopped, and must be quick.
type Excepter interface {
	// Excepted is the exception that lifts what the rule of this id wants of ex.
	Excepted(ex *scoring.Exchange, rule string) (id string, ok bool)
	// Hit counts an exchange in which it did, at the exchange's end.
	Hit(id string, at time.Time)
}

// Recaller is a Decider that may know its decision already, from an exchange
// that was the same in all that the policy can tell. Recall is so quick that it
// is asked without a deadline; what it does not know, Decide is asked.
type Recaller interface {
	Recall(in *Input) (*Decision, bool)
}
