package policy

import (
	"cmp"
	"slices"
	"time"
)

// Candidate is what one rule wants done. A Decision is shared by all exchanges
// that are alike to the policy, and a rule may be in force for some of them
// only; so it carries all that fired, and the Gate chooses.
type Candidate struct {
	Action Action
	Rule
}

// candidates are the verdicts of all rules, the severest first, in one order.
func (r *Rules) candidates() []Candidate {
	var all []Candidate
	add := func(a Action, rules []Rule) {
		for _, rule := range rules {
			all = append(all, Candidate{a, rule})
		}
	}
	add(Deny, r.Deny)
	add(Challenge, r.Challenge)
	add(Throttle, r.Throttle)
	slices.SortFunc(all, Candidate.compare)
	return all
}

func (x Candidate) compare(y Candidate) int {
	return cmp.Or(
		cmp.Compare(y.Action, x.Action),
		cmp.Compare(x.ID, y.ID),
		cmp.Compare(x.Reason, y.Reason),
		cmp.Compare(x.Status, y.Status),
		cmp.Compare(x.RetryAfter, y.RetryAfter),
		cmp.Compare(x.Realm, y.Realm),
		x.Manner.compare(y.Manner),
		compareBool(x.Shadow, y.Shadow),
		cmp.Compare(x.Withheld, y.Withheld),
		slices.Compare(x.Cohorts, y.Cohorts),
	)
}

// act makes the decision what the candidates want, which are in force and in
// order: the severest win, and none is to allow.
func (d *Decision) act(force []*Candidate) {
	d.Action, d.Status, d.RetryAfter, d.Realm, d.Manner, d.Reason = Allow, 0, 0, "", Manner{}, ""
	if len(force) == 0 {
		return
	}
	d.Action = force[0].Action
	winners := force[:1]
	for len(winners) < len(force) && force[len(winners)].Action == d.Action {
		winners = force[:len(winners)+1]
	}
	for _, x := range winners {
		d.Status = max(d.Status, x.Status)
		d.RetryAfter = max(d.RetryAfter, x.RetryAfter)
		d.Realm = first(d.Realm, x.Realm)
		d.join(x.Manner)
	}
	if d.Reason = winners[0].Reason; len(winners) > 1 {
		d.Reason = reasons(winners)
	}
}

// settle leaves of a decision what is in force for this exchange. It is asked
// about what some rule wants stopped, and so off the common path.
func (g *Gate) settle(c *Case, d *Decision, now time.Time) *Decision {
	c.force = c.force[:0]
	asCombined := true
	for i := range d.Candidates {
		x := &d.Candidates[i]
		in := g.hear(c, x, now)
		if in {
			c.force = append(c.force, x)
		}
		asCombined = asCombined && in == !x.Shadow
	}
	if asCombined {
		return d
	}
	if c.settled == nil {
		c.settled = new(Decision)
	}
	*c.settled = *d
	c.settled.act(c.force)
	return c.settled
}
