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
	InBreaker                 // the breaker has demoted the rule
	effects     int    = iota
)

var effectNames = [effects]string{"in_force", "shadow", "rollout", "exception", "breaker"}

// String is the effect's name in metrics and reports.
func (e Effect) String() string { return name(effectNames[:], uint8(e), "effect") }

// heard is a verdict of one rule, and what became of it.
type heard struct {
	rule   *ruleState
	action string // or "quarantine"
	effect Effect
	reason string
	by     string // the exception that lifts it
}

// hear notes what a rule wants of this exchange, and answers whether it is in
// force for it.
func (g *Gate) hear(c *Case, x *Candidate, now time.Time) bool {
	r := g.rules.rule(x.ID)
	h := heard{rule: r, action: x.Action.String(), reason: x.Reason}
	if x.ID == QuarantineRule {
		h.action = QuarantineRule
	}
	h.effect, h.by = g.effect(c, r, x)
	if h.effect != InException && !slices.ContainsFunc(c.heard, func(o heard) bool { return o.rule == r }) && g.watch(c, r, now) {
		h.effect, h.by = g.effect(c, r, x)
	}
	// A policy is asked several times about one exchange, and says the same again.
	i := slices.IndexFunc(c.heard, func(o heard) bool { return o.rule == r && o.action == h.action && o.effect == h.effect })
	if i < 0 {
		c.heard = append(c.heard, h)
	}
	return h.effect == InForce
}

// effect is what becomes of a rule's verdict as things stand.
func (g *Gate) effect(c *Case, r *ruleState, x *Candidate) (e Effect, by string) {
	stage := r.setting.Load().over(x.Stage)
	switch {
	case stage.Shadow:
		return InShadow, ""
	case !stage.covers(x.ID, &c.Exchange):
		return InRollout, ""
	case g.exceptions != nil:
		if id, ok := g.exceptions.Excepted(&c.Exchange, x.ID); ok {
			return InException, id
		}
	}
	if g.watches(r) && r.breaker.demoted() {
		return InBreaker, ""
	}
	return InForce, ""
}

// tellRules counts what was heard of rules, when all is over.
func (g *Gate) tellRules(c *Case) {
	for i := range c.heard {
		h := &c.heard[i]
		g.metrics.rules.WithLabelValues(h.rule.id, h.action, c.mode.String(), h.effect.String()).Inc()
		h.rule.verdicts[h.effect].Add(1)
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
	Why    string `json:"why"`          // "shadow", "rollout", "exception", "breaker"
	By     string `json:"by,omitempty"` // the exception's id
}

// shadowed are the verdicts that did not count.
func (c *Case) shadowed() (all []Shadowed) {
	for i := range c.heard {
		if h := &c.heard[i]; h.effect != InForce {
			all = append(all, Shadowed{h.rule.id, h.action, h.reason, h.effect.String(), h.by})
		}
	}
	return all
}

// DecidedBy are the rules that made the decision.
func (c *Case) DecidedBy() (ids []string) {
	for i := range c.heard {
		if h := &c.heard[i]; h.effect == InForce && h.action == c.decision.Action.String() && !slices.Contains(ids, h.rule.id) {
			ids = append(ids, h.rule.id)
		}
	}
	return ids
}
