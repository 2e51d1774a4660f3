package policy

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Why the fail mode decided: values of the label "reason".
const (
	failedError     = "error"
	failedTimeout   = "timeout"
	failedUndefined = "undefined" // the decider returned no decision
	failedContract  = "contract"  // the policy returned what the contract does not know
)

const noDecision = "no decision: " // and the reason, in reports

// allowed is the decision of an exchange that nobody has judged.
var allowed = Decision{Action: Allow}

// decide asks the decider at one phase and adopts what it says, or what the
// fail mode says in its place.
func (g *Gate) decide(c *Case, phase Phase, now time.Time) {
	ex := &c.Exchange
	c.anomalous, c.weight = ex.Assessment.Anomalous, weight(&ex.Assessment)
	c.input = Input{Exchange: ex, Phase: phase, Mode: c.mode, Now: now.In(g.location), Degraded: c.Degraded, Held: c.held}

	d, err := g.ask(c)
	if err != nil || d == nil || d.Action == Undecided {
		g.failed(c, phase, err, now)
		return
	}
	if d.Conflicts > 0 {
		g.metrics.conflicts.Add(float64(d.Conflicts))
	}
	if len(d.Candidates) > 0 {
		d = g.settle(c, d, now)
	}
	c.adopt(d, now)
	if len(d.Quarantine) > 0 {
		g.isolate(c, d, now)
	}
}

// ask gets the decision where it is known, and has it made where not. Only what
// is made is timed, and has a deadline: what is known takes less than reading
// the clock does.
func (g *Gate) ask(c *Case) (*Decision, error) {
	if r, ok := c.decider.(Recaller); ok {
		if d, ok := r.Recall(&c.input); ok {
			g.memo.hits.inc()
			return d, nil
		}
	}
	g.memo.misses.inc()
	var start time.Time
	timed := g.clock != nil && c.Exchange.ID[len(c.Exchange.ID)-1]&15 == 0
	if timed {
		start = g.clock()
	}
	ctx := g.deadlines.get()
	d, err := c.decider.Decide(ctx, &c.input)
	g.deadlines.put(ctx)
	if timed {
		g.metrics.seconds.Observe(g.clock().Sub(start).Seconds())
	}
	return d, err
}

// failed lets the fail mode decide.
func (g *Gate) failed(c *Case, phase Phase, err error, now time.Time) {
	reason := failedError
	switch {
	case err == nil:
		reason, err = failedUndefined, errors.New("the policy made no decision")
	case errors.Is(err, context.DeadlineExceeded):
		reason = failedTimeout
		err = fmt.Errorf("no decision within %s: %w", g.deadlines.after, err)
	case errors.Is(err, ErrContract):
		reason = failedContract
	}
	g.fallback(c, reason, now)
	g.complaints.log(g, c, phase, reason, err, now)
}

// fallback is the fail mode's decision. Under fail open, a decision that was
// made at an earlier phase stands: it is better than none.
func (g *Gate) fallback(c *Case, reason string, now time.Time) {
	g.metrics.failures.WithLabelValues(reason).Inc()
	d := Decision{Action: Allow, Failed: reason}
	if g.fail == FailClosed {
		d = Decision{Action: Deny, Status: 503, Failed: reason}
	} else if c.decision.Action != Undecided {
		c.decision.Failed = reason
		return
	}
	d.Reason = noDecision + reason
	c.adopt(&d, now)
}

// complaints says in the log what failed, without letting a broken policy
// write a line a request.
type complaints struct {
	limit      *rate.Limiter
	suppressed atomic.Uint64
}

func (l *complaints) log(g *Gate, c *Case, phase Phase, reason string, err error, now time.Time) {
	if !l.limit.AllowN(now, 1) {
		l.suppressed.Add(1)
		return
	}
	g.logger.Error().
		Err(err).
		Str("reason", reason).
		Stringer("phase", phase).
		Stringer("fail", g.fail).
		Stringer("mode", c.mode).
		Stringer("decision_id", c.Exchange.ID).
		Str("route", c.Exchange.Route.Name).
		Uint64("suppressed", l.suppressed.Swap(0)).
		Msg("policy failed; the fail mode decided")
}
