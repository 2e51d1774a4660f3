package policy

import (
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Stage is for whom a rule is in force while it is being introduced. The zero
// Stage is everybody.
type Stage struct {
	Shadow   bool     // nobody: it only tells what it would have done
	Withheld float64  // percent of identities for whom it is not in force yet
	Cohorts  []string // it is in force for callers of these; none: of all
}

// covers answers whether the rule of that id is in force for who sent ex. Who is
// covered at one percentage is covered at any larger one.
func (s *Stage) covers(id string, ex *scoring.Exchange) bool {
	if len(s.Cohorts) > 0 && !slices.Contains(s.Cohorts, ex.Assessment.Cohort) {
		return false
	}
	return s.Withheld <= 0 || drawn(Principal(ex).Key, id) < 100-s.Withheld
}

// drawn is where an identity stands in the rollout of a rule, 0 to 100: the same
// for ever and on all replicas that share the identity key, and for each rule
// another, so that not always the same callers come first.
func drawn(k profile.Key, rule string) float64 {
	return 100 * float64(xxh3.HashStringSeed(rule, k.Hi^k.Lo)>>11) / (1 << 53)
}

// RuleSetting is the operator's word on one rule; it beats the policy's. What it
// leaves out stays as the policy says.
type RuleSetting struct {
	Rule    string   `yaml:"rule" json:"rule"`
	Mode    *Mode    `yaml:"mode" json:"mode,omitempty"`       // enforce, or shadow
	Rollout *float64 `yaml:"rollout" json:"rollout,omitempty"` // percent of identities that it is in force for
	Cohorts []string `yaml:"cohorts" json:"cohorts,omitempty"` // that it is in force for
	Breaker *bool    `yaml:"breaker" json:"breaker,omitempty"` // false: the breaker leaves it in force
}

// RuleSettings are all of them.
type RuleSettings []RuleSetting

// Validate says what cannot be meant.
func (all RuleSettings) Validate() error {
	for i, s := range all {
		fail := func(problem string, args ...any) error {
			return fmt.Errorf("rules rule %d: %s", i+1, fmt.Sprintf(problem, args...))
		}
		switch {
		case s.Rule == "":
			return fail("it names none; write rule: and the id that reports and wonted_rule_verdicts_total call it by")
		case slices.ContainsFunc(all[:i], func(o RuleSetting) bool { return o.Rule == s.Rule }):
			return fail("%q was set before; once is enough", s.Rule)
		case s.Rollout != nil && !(*s.Rollout >= 0 && *s.Rollout <= 100):
			return fail("a rollout of %v is impossible; write the percentage of identities, 0 to 100", *s.Rollout)
		}
	}
	return nil
}

// over is the stage with the operator's word on it.
func (s *RuleSetting) over(stage Stage) Stage {
	if s == nil {
		return stage
	}
	if s.Mode != nil {
		stage.Shadow = *s.Mode == Shadow
	}
	if s.Rollout != nil {
		stage.Withheld = 100 - *s.Rollout
	}
	if len(s.Cohorts) > 0 {
		stage.Cohorts = s.Cohorts
	}
	return stage
}
