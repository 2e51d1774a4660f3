package quarantine

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// plain is a scorer that finds nothing, and a policy that says nothing.
type plain struct{ decision policy.Decision }

func (plain) Begin(ex *scoring.Exchange) {
	ex.Assessment = scoring.Assessment{Mature: true, Threshold: 4}
}
func (plain) Attempt(*scoring.Exchange)                          {}
func (plain) Answer(*scoring.Exchange, time.Time)                {}
func (plain) Meter(*scoring.Exchange, time.Time)                 {}
func (plain) Complete(*scoring.Exchange, scoring.End, time.Time) {}
func (plain) Reads(policy.Phase) bool                            { return false }

func (p *plain) Decide(context.Context, *policy.Input) (*policy.Decision, error) {
	return &p.decision, nil
}

func gate(table *Table, d policy.Decision) *policy.Gate {
	p := &plain{d}
	return policy.NewGate(policy.Config{Scorer: p, Decider: p, Mode: policy.Enforce, Blocks: table, Log: zerolog.Nop(), Deadline: -1})
}

// through takes an exchange through the Gate.
func through(g *policy.Gate, c *policy.Case, ex *scoring.Exchange) policy.Verdict {
	c.Reset()
	c.Exchange = *ex
	c.Exchange.ResponseBytes, c.Exchange.Records = 100, -1
	v := g.Open(c)
	if v.Pass {
		c.Exchange.Status = 200
		g.Answer(c, ex.Time)
		g.Close(c, scoring.Answered, ex.Time)
	} else {
		g.Close(c, scoring.Refused, ex.Time)
	}
	return v
}

// A policy blocks a caller through the Gate, whose next exchange is refused.
func TestThroughTheGate(t *testing.T) {
	table := newTable(t)
	g := gate(table, policy.Decision{Action: policy.Allow, Quarantine: []policy.Quarantine{{Entity: "caller"}}})
	c := &policy.Case{}
	if v := through(g, c, from("acme", "203.0.113.7")); !v.Pass {
		t.Errorf("the first: %+v", v.Decision)
	}
	if v := through(g, c, from("acme", "203.0.113.7")); v.Pass || v.Class != "quarantined" || v.RetryAfter != 5*time.Minute {
		t.Errorf("the second: %+v", v.Decision)
	}
}

// An exchange that nothing is said against allocates nothing, whoever else is
// blocked.
func TestGateWithBlocksAllocatesNothing(t *testing.T) {
	for _, blocked := range []int{0, 1000} {
		table := newTable(t)
		for _, who := range names(blocked) {
			table.ask(from(who, "198.51.100.1"), "caller", time.Hour, at)
		}
		g, c, ex := gate(table, policy.Decision{Action: policy.Allow}), &policy.Case{}, from("acme", "203.0.113.7")
		if n := testing.AllocsPerRun(200, func() { through(g, c, ex) }); n != 0 {
			t.Errorf("%d blocked: %v allocations", blocked, n)
		}
	}
}

func BenchmarkGate(b *testing.B) {
	for _, blocked := range []int{-1, 0, 1000} {
		name, table := fmt.Sprint(blocked), newTable(b)
		for _, who := range names(max(blocked, 0)) {
			table.ask(from(who, "198.51.100.1"), "caller", time.Hour, at)
		}
		g, c, ex := gate(table, policy.Decision{Action: policy.Allow}), &policy.Case{}, from("acme", "203.0.113.7")
		if blocked < 0 {
			name = "without a table"
			p := &plain{policy.Decision{Action: policy.Allow}}
			g = policy.NewGate(policy.Config{Scorer: p, Decider: p, Mode: policy.Enforce, Log: zerolog.Nop(), Deadline: -1})
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				through(g, c, ex)
			}
		})
	}
}
