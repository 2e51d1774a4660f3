package main

import (
	"time"

	"github.com/wonted-project/wonted/policy"
)

// replaySummary is the last object of --output json. Its names are a contract.
type replaySummary struct {
	Exchanges  int            `json:"exchanges"`
	Identities int            `json:"identities"`
	Windows    int            `json:"windows"`   // ten minutes in which an identity did something
	Anomalous  int            `json:"anomalous"` // exchanges
	Actions    map[string]int `json:"actions"`
	Budget     struct {
		Target   float64 `json:"target"`   // identity-days with an alert, per 1,000
		Realised float64 `json:"realised"` // the same, as it came
	} `json:"budget"`
	Seconds float64 `json:"seconds"`

	WithoutRequest int `json:"without_request,omitempty"` // lines that are about no request

	// Shadow is what rules wanted that were not in force, the most frequent first.
	Shadow []passedOver `json:"shadow,omitempty"`

	Compared *compared `json:"compared,omitempty"` // where there are two policies; all else is B's

	advice string // how more could be known
}

func (t *tally) summary(target float64, took time.Duration) *replaySummary {
	s := &replaySummary{
		Exchanges: t.exchanges, Identities: len(t.identities), Windows: t.windows, Anomalous: t.anomalous,
		Actions: actionCounts(t.actions), Seconds: took.Seconds(),
	}
	s.Shadow = rankedPassedOver(t.passedOver)
	s.Budget.Target = target
	s.Budget.Realised = 1000 * float64(t.alerts) / float64(max(t.days, 1))
	return s
}

// actionCounts has every action by its name.
func actionCounts(counted map[policy.Action]int) map[string]int {
	all := map[string]int{}
	for _, a := range []policy.Action{policy.Allow, policy.Throttle, policy.Challenge, policy.Deny} {
		all[a.String()] = counted[a]
	}
	return all
}
