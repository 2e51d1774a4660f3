package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/wonted-project/wonted/policy"
)

// passedOver counts the verdicts of a rule that was not in force. Its JSON names
// are a contract.
type passedOver struct {
	Rule      string `json:"rule"`
	Action    string `json:"action"`
	Why       string `json:"why"`
	Exchanges int    `json:"exchanges"`
}

// shadowKey is a shadow verdict but for its reason, which may hold numbers.
type shadowKey struct{ rule, action, why string }

// passOver counts the shadow verdicts of an exchange.
func (t *tally) passOver(all []policy.Shadowed) {
	for _, s := range all {
		t.passedOver[shadowKey{s.Rule, s.Action, s.Why}]++
	}
}

func rankedPassedOver(counted map[shadowKey]int) []passedOver {
	var all []passedOver
	for k, n := range counted {
		all = append(all, passedOver{k.rule, k.action, k.why, n})
	}
	slices.SortFunc(all, func(a, b passedOver) int {
		return cmp.Or(cmp.Compare(b.Exchanges, a.Exchanges), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Why, b.Why))
	})
	return all
}

func (p *passedOver) String() string {
	return fmt.Sprintf("%s to %s by the rule %s, for its %s", plural(p.Exchanges, "exchange"), p.Action, p.Rule, p.Why)
}
