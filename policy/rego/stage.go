package rego

import (
	"fmt"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/policy"
)

// Rule ids. A rule may say its own; one that does not is called by its reason,
// where that stands in the policy, and else by its action: what is computed may
// hold what a client sent, and would be a new rule each time.

const maxRuleID = 64

var ruleIDs = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

func ruleID(v ast.Value) (string, error) {
	s, err := plain(v)
	if err == nil && !ruleIDs.MatchString(s) {
		err = fmt.Errorf(`%s: want up to 64 letters, digits, "_", "-" and ".", as in "exports"`, short(v))
	}
	return s, err
}

func boolean(v ast.Value) (bool, error) {
	b, ok := v.(ast.Boolean)
	if !ok {
		return false, fmt.Errorf("it is %s, want true or false", kind(v))
	}
	return bool(b), nil
}

// withheld is what is left of 100 percent.
func withheld(v ast.Value) (float64, error) {
	if n, ok := v.(ast.Number); ok {
		if f, ok := n.Float64(); ok && f >= 0 && f <= 100 {
			return 100 - f, nil
		}
	}
	return 0, fmt.Errorf("it is %s, want the percentage of identities, 0 to 100", short(v))
}

// names takes an array or a set of strings.
func names(v ast.Value) (all []string, err error) {
	take := func(t *ast.Term) error {
		s, err := plain(t.Value)
		all = append(all, s)
		return err
	}
	switch v := v.(type) {
	case *ast.Array:
		err = v.Iter(take)
	case ast.Set:
		err = v.Iter(take)
	default:
		err = fmt.Errorf("it is %s, want an array of names", kind(v))
	}
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("it is empty: leave it out, and the rule is for callers of all cohorts")
	}
	slices.Sort(all)
	return all, err
}

// textsOf are all strings that stand in the modules.
func textsOf(modules map[string]*ast.Module) map[string]bool {
	texts := map[string]bool{}
	for _, m := range modules {
		ast.WalkTerms(m, func(t *ast.Term) bool {
			if s, ok := t.Value.(ast.String); ok {
				texts[string(s)] = true
			}
			return false
		})
	}
	return texts
}

// call gives an id to each rule that said none.
func (e *Engine) call(rules *policy.Rules) {
	e.callAll(policy.Deny, rules.Deny)
	e.callAll(policy.Challenge, rules.Challenge)
	e.callAll(policy.Throttle, rules.Throttle)
}

func (e *Engine) callAll(action policy.Action, rules []policy.Rule) {
	for i := range rules {
		switch r := &rules[i]; {
		case r.ID != "":
		case r.Reason != "" && e.texts[r.Reason]:
			r.ID = cut64(r.Reason)
		default:
			r.ID = action.String()
		}
	}
}

// cut64 keeps what fits of a text, in whole letters.
func cut64(s string) string {
	if len(s) <= maxRuleID {
		return s
	}
	n := maxRuleID
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
