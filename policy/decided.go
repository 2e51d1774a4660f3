package policy

import (
	"time"

	"github.com/wonted-project/wonted/scoring"
)

// DecisionLog takes down decisions when they are made, each with the input that
// it was made on. It must not block, and keeps nothing of what it is shown: the
// exchange goes on and is reused.
type DecisionLog interface {
	// Plain says whether an exchange is taken down that is plainly allowed.
	Plain(id scoring.ID) bool
	Decided(in *Input, d *Decided)
}

// Decided is one decision for the log.
type Decided struct {
	ID       scoring.ID
	Decider  Decider
	Decision *Decision // budgets resolved
	Class    string
	At       time.Time
	Rules    []string
	Shadow   []Shadowed
}

// log tells the decision log, once when the exchange is decided on and again
// when it becomes worse.
func (g *Gate) log(c *Case, phase Phase, now time.Time) {
	if g.decisions == nil {
		return
	}
	grade, notable := uint8(c.decision.Action), c.Notable()
	if notable {
		grade++ // an anomaly that is allowed is more than what is plainly allowed
	}
	if grade <= c.logged || !notable && !g.decisions.Plain(c.Exchange.ID) {
		return
	}
	c.logged = grade
	in := Input{Exchange: &c.Exchange, Phase: phase, Mode: c.mode, Now: now.In(g.location), Degraded: c.Degraded, Held: c.held}
	g.decisions.Decided(&in, &Decided{
		ID: c.Exchange.ID, Decider: c.decider, Decision: &c.decision, Class: c.class, At: now,
		Rules: c.DecidedBy(), Shadow: c.shadowed(),
	})
}
