package policy

import (
	"time"
)

// BreakerConfig is the enforcement breaker's (breaker.go). The zero one watches
// nothing.
type BreakerConfig struct {
	Enabled bool
	Quiet   time.Duration // after which a demoted rule comes back by itself; 0: DefaultQuiet
}

// DefaultQuiet is for how long a demoted rule must do nothing that would have it
// demoted again.
const DefaultQuiet = 10 * time.Minute

// watches: the breaker may demote the rule.
func (g *Gate) watches(r *ruleState) bool {
	s := r.setting.Load()
	return g.breaker.Enabled && (s == nil || s.Breaker == nil || *s.Breaker)
}

// watch shows a rule's verdict to its breaker, once an exchange, and answers
// whether it changed something. In shadow, of the Gate or of the rule alone, it
// goes the same way: what would be demoted is known before anybody is stopped.
func (g *Gate) watch(c *Case, r *ruleState, now time.Time) (changed bool) {
	if !g.watches(r) || !goodStanding(&c.Exchange.Assessment) {
		return false
	}
	minute, judged, last := g.pace.now()
	changed = g.turn(r, minute, last, now)
	why := r.breaker.note(Principal(&c.Exchange).Key.Lo, now, judged)
	if why == "" {
		return changed
	}
	g.metrics.trips.WithLabelValues(r.id).Inc()
	g.logger.Warn().Str("rule", r.id).Stringer("mode", c.mode).Str("why", why).Stringer("decision_id", c.Exchange.ID).
		Msg("the rule is demoted to shadow: it stops callers whom nothing speaks against. It comes back when it has been quiet, or by wonted rule restore")
	return true
}

func (g *Gate) turn(r *ruleState, minute int64, last float64, now time.Time) (back bool) {
	if back = r.breaker.turn(minute, last, now, g.breaker.Quiet); back {
		g.logger.Info().Str("rule", r.id).Msg("the rule is in force again: it has been quiet")
	}
	return back
}

// Tend closes minutes in which no exchange came. Call it every few seconds; a
// rule comes back then that has been quiet.
func (g *Gate) Tend(now time.Time) {
	g.pace.turn(minuteOf(now))
	minute, _, last := g.pace.now()
	for r := range g.rules.all() {
		g.turn(r, minute, last, now)
	}
}

// Restore puts a demoted rule in force again, and takes what it does for usual.
// !known: no rule of that id has fired. !was: it was in force.
func (g *Gate) Restore(id string, now time.Time) (was, known bool) {
	r := (*g.rules.known.Load())[id]
	if r == nil {
		return false, false
	}
	_, judged, _ := g.pace.now()
	return r.breaker.restore(now, judged), true
}
