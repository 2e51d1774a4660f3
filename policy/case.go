package policy

import (
	"cmp"
	"net/http"
	"time"

	"github.com/wonted-project/wonted/scoring"
)

// Case is one exchange before the Gate, with what has been decided about it.
// The stream that carries the exchange owns its Case, and may reuse it after
// Close and Reset.
type Case struct {
	Exchange scoring.Exchange
	Degraded []string // what the carrier knows to be impaired, for input.degraded

	// Told: the exchange is over, and the carrier tells of it afterwards. What
	// is decided from now on is what would have been done: shadow, whatever the
	// mode.
	Told bool

	// Answered is the status of the carrier's answer in the upstream's place; 0:
	// the decision's.
	Answered int

	// Traceparent is the proxy's own span for this exchange, as W3C Trace Context
	// writes it; "" where it tells none, or nothing is traced.
	Traceparent string

	judgement
}

// judgement is what the Gate keeps with a case.
type judgement struct {
	stage   stage
	began   bool  // the Scorer has counted it and must hear of its end
	size    int64 // of the body, as the response headers declared it; -1 if they did not
	mode    Mode  // as it stood at Open: an exchange is judged by one mode and one policy
	decider Decider
	input   Input // reused, so that a decision allocates nothing here

	decision  Decision // the severest so far, budgets resolved
	class     string
	at        time.Time
	phase     Phase  // in which the verdict was reached
	inspect   bool   // of the latest decision, as the budget and the bounds are
	asked     Budget // as the policy gave it
	records   bound
	bytes     bound
	anomalous bool // at the latest decision, as weight is
	weight    float64
	exceeded  bool // a bound has been passed; it happens once

	heard    []heard      // what rules wanted, and what became of it
	force    []*Candidate // room for the candidates that are in force
	settled  *Decision    // room for the decision of those
	held     []*Block     // that the request came under
	isolated []Isolation  // what became of the quarantines that were asked for
	watching bool         // the mode was shadow at Open, whether or not it is told

	logged uint8 // the gravest that the decision log has heard of

	explained Action               // the severity of the verdict that passing belongs to
	passing   *Passing             // nil: it was not searched for
	trace     func() []Source      // nil: it is not known
	supposed  *scoring.Supposition // while it is
}

// stage guards the order of calls, whatever the carrier's stream does.
type stage uint8

const (
	fresh stage = iota
	opened
	closed
)

// Reset makes the case ready for another exchange.
func (c *Case) Reset() {
	c.Exchange.Reset()
	c.Degraded = c.Degraded[:0]
	c.Told, c.Answered, c.Traceparent = false, 0, ""
	clear(c.held)
	heard, force, settled, held := c.heard[:0], c.force[:0], c.settled, c.held[:0]
	c.judgement = judgement{} // in place: a literal with these would be made elsewhere and copied
	c.heard, c.force, c.settled, c.held = heard, force, settled, held
}

// Declared is the size of the body by the response headers, -1 where they
// declared none. Before Answer it means nothing.
func (c *Case) Declared() int64 { return c.size }

// Verdict is what the carrier of an exchange must do at this point. Its
// Decision belongs to the Case: it holds until the next call or Reset. In
// shadow it carries no header mutations, so that they cannot be applied.
type Verdict struct {
	*Decision           // never nil; budgets are resolved
	Pass      bool      // let it go on: Action is Allow, or the mode is shadow
	Class     string    // reason class that the client may see: "denied", "quarantined", "malformed", "step-up", "rate", "budget", "unavailable"; "" where allowed
	Headers   bool      // at the request headers: ask for the response headers and call Answer before they leave
	Body      bool      // at the response headers: ask for the body in chunks and call Meter
	Mode      Mode      // the mode that this exchange is judged by
	At        time.Time // when it was reached
}

// Verdict is where the case stands, for a Recorder.
func (c *Case) Verdict() Verdict { return c.verdict() }

// Status is what the client got, of an exchange that has ended; 0: none.
func (c *Case) Status(end scoring.End) int {
	if end == scoring.Refused {
		return cmp.Or(c.Answered, c.decision.HTTPStatus())
	}
	return c.Exchange.Status
}

// verdict is where the case stands.
func (c *Case) verdict() Verdict {
	return Verdict{
		Decision: &c.decision,
		Pass:     c.mode == Shadow || c.decision.Action == Allow,
		Class:    c.class,
		Mode:     c.mode,
		At:       c.at,
	}
}

// adopt takes a new decision. An action once reached stays, with its reason:
// what was severe at the request does not become harmless because its answer
// looks plain. What concerns the rest of the response is the latest decision's.
func (c *Case) adopt(d *Decision, now time.Time) {
	if d.Action > c.decision.Action || c.decision.Action == Allow {
		if c.Told && d.Action > Allow {
			c.mode = Shadow
		}
		c.decision = *d
		c.class, c.phase = classes[d.Action], c.input.Phase
		switch {
		case d.Failed != "" && d.Action != Allow:
			c.class = "unavailable"
		case d.Action == Deny && d.Status == http.StatusBadRequest:
			c.class = "malformed" // the request is at fault, not who sent it
		}
		c.at = now
		if d.Action == Throttle && d.RetryAfter <= 0 {
			c.decision.RetryAfter = DefaultRetryAfter
		}
		if c.mode == Shadow {
			c.decision.Request, c.decision.Response, c.decision.Metadata = nil, nil, nil
		}
	}
	c.inspect, c.asked = d.Inspect, d.Budget
	c.bind(d.Budget)
}

var classes = [actions]string{Throttle: "rate", Challenge: "step-up", Deny: "denied"}
