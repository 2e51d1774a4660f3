package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/scoring"
)

// decisionLog takes down what it is told, in words.
type decisionLog struct {
	plain bool
	told  []string
}

func (l *decisionLog) Plain(scoring.ID) bool { return l.plain }

func (l *decisionLog) Decided(in *Input, d *Decided) {
	l.told = append(l.told, in.Phase.String()+" "+d.Decision.Action.String()+" "+d.Decision.Reason+d.Decision.Failed)
	if in.Exchange.ID != d.ID || d.Decider == nil || in.Now.IsZero() {
		panic("the input is not the decision's")
	}
}

// A decision is logged when it is made, once, and again when it becomes worse.
func TestDecisionsAreLogged(t *testing.T) {
	f := func(what string, d *decider, plain bool, begin, see func(*scoring.Exchange), want ...string) {
		t.Helper()
		l := &decisionLog{plain: plain}
		b := newBench(d, func(c *Config) { c.Decisions, c.Mode = l, Shadow })
		b.scorer.begin, b.scorer.see = begin, see
		c := request()
		b.Open(c)
		respond(c, 200, 100)
		b.Answer(c, at)
		b.Meter(c, at)
		b.Close(c, scoring.Answered, at)
		if d := cmp.Diff(want, l.told); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	odd := func(ex *scoring.Exchange) { ex.Assessment.Anomalous = true }
	allow := func() *decider { return saying(Decision{Action: Allow}) }
	f("plain", allow(), false, nil, nil)
	f("plain, of the share", allow(), true, nil, nil, "request allow ")
	f("denied", saying(Decision{Action: Deny, Reason: "no"}), false, nil, nil, "request deny no")
	f("denied, of the share", saying(Decision{Action: Deny, Reason: "no"}), true, nil, nil, "request deny no")
	f("an anomaly that is allowed", allow(), false, odd, nil, "request allow ")
	f("an anomaly of the response", allow(), true, nil, odd, "request allow ", "response allow ")
	worse := saying(Decision{Action: Throttle, Reason: "slow"})
	worse.at[PhaseResponse] = &Decision{Action: Deny, Reason: "no"}
	worse.reads = map[Phase]bool{PhaseResponse: true}
	f("it becomes worse", worse, false, nil, nil, "request throttle slow", "response deny no")
	f("over budget", saying(Decision{Action: Allow, Budget: Budget{Bytes: 10}}), false, nil, nil, "response deny response budget: 100 bytes, at most 10 allowed")
	f("no decision", saying(Decision{}), false, nil, nil, "request allow no decision: undefinedundefined")
}
