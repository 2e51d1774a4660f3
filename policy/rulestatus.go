package policy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// RuleStatus is what the Gate knows of a rule that has fired since it started, or
// of which something was saved. Its JSON names are a contract.
type RuleStatus struct {
	Rule     string            `json:"rule"`
	Demoted  bool              `json:"demoted"`
	Since    *time.Time        `json:"since,omitempty"` // it was demoted, or came back
	Why      string            `json:"why,omitempty"`   // it was demoted
	BackIn   string            `json:"back_in,omitempty"`
	Setting  *RuleSetting      `json:"setting,omitempty"` // the operator's
	Verdicts map[string]uint64 `json:"verdicts"`          // exchanges by effect, since the start

	// Of callers in good standing, by the minute: what it has hit so far in this
	// one, and what is usual.
	Minute struct {
		Exchanges int64   `json:"exchanges"`
		Callers   float64 `json:"callers"`
	} `json:"minute"`
	Usual learned `json:"usual"`
}

// Rules are all of them, demoted ones first.
func (g *Gate) Rules() []RuleStatus {
	out := []RuleStatus{}
	for r := range g.rules.all() {
		out = append(out, r.status(g.breaker.Quiet))
	}
	slices.SortFunc(out, func(a, b RuleStatus) int {
		return cmp.Or(compareBool(b.Demoted, a.Demoted), cmp.Compare(a.Rule, b.Rule))
	})
	return out
}

func (r *ruleState) status(quiet time.Duration) RuleStatus {
	s := RuleStatus{Rule: r.id, Setting: r.setting.Load(), Verdicts: map[string]uint64{}}
	for e := range r.verdicts {
		if n := r.verdicts[e].Load(); n > 0 {
			s.Verdicts[Effect(e).String()] = n
		}
	}
	b := &r.breaker
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Demoted, s.Usual = b.trip.Demoted, b.learned
	s.Minute.Exchanges, s.Minute.Callers = b.hits, b.callers.count()
	if !b.trip.Since.IsZero() {
		since := b.trip.Since.UTC()
		s.Since = &since
	}
	if b.trip.Demoted {
		s.Why = b.trip.Why
		s.BackIn = WindowName(max(0, wait(quiet, b.trip.Count)-time.Duration(b.trip.quiet)*time.Minute))
	}
	return s
}

// savedRules is what EncodeRules writes.
type savedRules struct {
	Version int                  `json:"v"`
	Rules   map[string]savedRule `json:"rules"`
}

type savedRule struct {
	Usual learned `json:"usual"`
	Trip  trip    `json:"trip"`
}

// EncodeRules writes what was learned of rules, and which are demoted.
func (g *Gate) EncodeRules() []byte {
	out := savedRules{1, map[string]savedRule{}}
	for r := range g.rules.all() {
		r.breaker.mu.Lock()
		out.Rules[r.id] = savedRule{r.breaker.learned, r.breaker.trip}
		r.breaker.mu.Unlock()
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err) // finite numbers and strings
	}
	return append(text, '\n')
}

// DecodeRules takes up what EncodeRules wrote, before anything is judged.
func (g *Gate) DecodeRules(text []byte) error {
	var in savedRules
	if err := json.Unmarshal(text, &in); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	if in.Version != 1 || len(in.Rules) > maxRules+1 {
		return fmt.Errorf("rules: version %d with %d rules is not known", in.Version, len(in.Rules))
	}
	for id, s := range in.Rules {
		if !(s.Usual.Share >= 0 && s.Usual.Share <= 1 && s.Usual.Callers >= 0 && s.Usual.Minutes >= 0) {
			return fmt.Errorf("rules: what is usual for %q is impossible", id)
		}
	}
	for id, s := range in.Rules {
		b := &g.rules.rule(id).breaker
		b.learned, b.trip = s.Usual, s.Trip
	}
	return nil
}
