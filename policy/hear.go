package policy

import (
	"slices"
	"time"
)

// Effect is what becomes of a rule's verdict.
type Effect uint8

// The effects. Every one but InForce makes it a shadow verdict, whatever the mode.
const (
	InForce     Effect = iota // it counts
	InShadow                  // the rule is in shadow
	InRollout                 // the rule is not in force for this identity yet
	InException               // an operator's exception lifts it
	effects     int    = iota
)

var effectNames = [effects]string{"in_force", "shadow", "rollout", "exception"}

// String is the effect's name in metrics and reports.
func (e Effect) String() string { return name(effectNames[:], uint8(e), "effect") }

// heard is a verdict of one rule, and what became of it.
type heard struct {
	rule   *ruleState
	action Action
	effect Effect
	reason string
	by     string // the exception that lifts it
}

// hear notes what a rule wants of this exchange, and answers whether it is in
// force for it.
func (g *Gate) hear(c *Case, x *Candidate, now time.Time) bool {
	r := g.rules.rule(x.ID)
	h := heard{rule: r, action: x.Action, reason: x.Reason}
	h.effect, h.by = g.effect(c, r, x)
	// A policy is asked several times about one exchange, and says the same again.
	i := slices.IndexFunc(c.heard, func(o heard) bool { return o.rule == r && o.action == h.action && o.effect == h.effect })
	if i < 0 {
		c.heard = append(c.heard, h)
	}
	return h.effect == InForce
}

func (g *Gate) effect(c *Case, r *ruleState, x *Candidate) (e Effect, by string) {
	stage := r.setting.Load().over(x.Stage)
	switch {
	case stage.Shadow:
		return InShadow, ""
	case !stage.covers(x.ID, &c.Exchange):
		return InRollout, ""
	}
	if g.exceptions != nil {
		if id, ok := g.exceptions.Excepted(&c.Exchange, x.ID); ok {
			return InException, id
		}
	}
	return InForce, ""
}

// tellRules counts what was heard of rules, when all is over.
func (g *Gate) tellRules(c *Case) {
	for i := range c.heard {
		h := &c.heard[i]
		g.metrics.rules.WithLabelValues(h.rule.id, h.action.String(), c.mode.String(), h.effect.String()).Inc()
		if h.by != "" && !slices.ContainsFunc(c.heard[:i], func(o heard) bool { return o.by == h.by }) {
			g.exceptions.Hit(h.by, c.Exchange.Time)
		}
	}
}

// Shadowed is a verdict of a rule that was not in force for the exchange: what
// would have been done otherwise. Its JSON field names are a contract.
type Shadowed struct {
	Rule   string `json:"rule"`
	Action string `json:"action"`
	Reason string `json:"reason"`
	Why    string `json:"why"`          // "shadow", "rollout", "exception"
	By     string `json:"by,omitempty"` // the exception's id
}

// shadowed are the verdicts that did not count.
func (c *Case) shadowed() (all []Shadowed) {
	for i := range c.heard {
		if h := &c.heard[i]; h.effect != InForce {
			all = append(all, Shadowed{h.rule.id, h.action.String(), h.reason, h.effect.String(), h.by})
		}
	}
	return all
}

// decidedBy are the rules that made the decision.
func (c *Case) decidedBy() (ids []string) {
	for i := range c.heard {
		if h := &c.heard[i]; h.effect == InForce && h.action == c.decision.Action && !slices.Contains(ids, h.rule.id) {
			ids = append(ids, h.rule.id)
		}
	}
	return ids
}
