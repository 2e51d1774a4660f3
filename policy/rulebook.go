package policy

import (
	"iter"
	"maps"
	"sync"
	"sync/atomic"
)

// maxRules bounds the rules that are told apart: a policy may call its rules by
// what a client sends. All that come later share one, otherRule.
const maxRules = 256

const otherRule = "other"

// What all response budgets of a policy are called together, and all quarantines
// that it asks for.
const (
	BudgetRule     = "response_budget"
	QuarantineRule = "quarantine"
)

// rulebook is what the Gate keeps about rules, by their ids. It is read without
// a lock; a rule joins it when it first fires.
type rulebook struct {
	known    atomic.Pointer[map[string]*ruleState] // never changed, but replaced by a larger one
	settings map[string]*RuleSetting               // guarded by mu
	mu       sync.Mutex
}

// ruleState is one rule.
type ruleState struct {
	id       string
	setting  atomic.Pointer[RuleSetting] // nil: the policy alone says for whom it is
	breaker  breaker
	verdicts [effects]atomic.Uint64 // exchanges
}

func newRulebook(settings RuleSettings) *rulebook {
	b := &rulebook{}
	b.known.Store(&map[string]*ruleState{})
	b.set(settings)
	return b
}

// set takes other settings, for exchanges that are decided on from now on.
func (b *rulebook) set(settings RuleSettings) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settings = make(map[string]*RuleSetting, len(settings))
	for i := range settings {
		s := settings[i]
		b.settings[s.Rule] = &s
	}
	for id, r := range *b.known.Load() {
		r.setting.Store(b.settings[id])
	}
}

// all are those that have fired.
func (b *rulebook) all() iter.Seq[*ruleState] { return maps.Values(*b.known.Load()) }

// rule is the one of that id.
func (b *rulebook) rule(id string) *ruleState {
	if r := (*b.known.Load())[id]; r != nil {
		return r
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	known := *b.known.Load()
	if known[id] == nil && len(known) >= maxRules {
		id = otherRule
	}
	if r := known[id]; r != nil {
		return r
	}
	known = maps.Clone(known)
	r := &ruleState{id: id}
	r.setting.Store(b.settings[id])
	known[id] = r
	b.known.Store(&known)
	return r
}
