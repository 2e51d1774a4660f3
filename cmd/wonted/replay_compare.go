package main

import (
	"context"
	"slices"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/rego"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/recorded"
)

// comparison has two policies judge each exchange. It stands before the Scorer
// of a Gate that lets everything pass, so that an exchange is scored once and
// what is learned of it is no decision's doing; then each policy is asked, by a
// Gate and a Case of its own, about what was found.
type comparison struct {
	policy.Scorer
	a, b    side
	differs differs
}

// side is one of the two.
type side struct {
	name    string // directory; "": the default policy
	gate    *policy.Gate
	c       policy.Case
	verdict policy.Verdict
	actions map[policy.Action]int
}

// newComparison has gates made as like says, the sink of which hears of B alone,
// each with blocks of its own.
func newComparison(scorer policy.Scorer, like policy.Config, names []string, engines []*rego.Engine, blocks func() policy.Quarantines) *comparison {
	v := &comparison{Scorer: scorer, differs: differs{groups: map[[2]said]*differGroup{}}}
	like.Scorer = scored{}
	sink, log := like.Sink, like.Log
	for i, s := range [...]*side{&v.a, &v.b} {
		like.Blocks = blocks()
		like.Decider, like.Sink, like.Log = engines[i], nil, log.With().Str("policy", names[i]).Logger()
		if i == 1 {
			like.Sink = sink
		}
		s.name, s.gate, s.actions = names[i], policy.NewGate(like), map[policy.Action]int{}
	}
	return v
}

// ask has both judge the exchange as it stands.
func (v *comparison) ask(ex *scoring.Exchange, judge func(*side) policy.Verdict) {
	for _, s := range [...]*side{&v.a, &v.b} {
		s.c.Exchange = *ex
		s.verdict = judge(s)
	}
}

// Begin implements policy.Scorer, as the others do.
func (v *comparison) Begin(ex *scoring.Exchange) {
	v.Scorer.Begin(ex)
	v.a.c, v.b.c = policy.Case{}, policy.Case{} // Reset would clear what they share with ex
	v.ask(ex, func(s *side) policy.Verdict { return s.gate.Open(&s.c) })
}

func (v *comparison) Attempt(ex *scoring.Exchange) {
	v.Scorer.Attempt(ex)
	v.ask(ex, func(s *side) policy.Verdict { return s.gate.Attempt(&s.c, ex.Time) })
}

func (v *comparison) Answer(ex *scoring.Exchange, now time.Time) {
	v.Scorer.Answer(ex, now)
	v.ask(ex, func(s *side) policy.Verdict { return s.gate.Answer(&s.c, now) })
}

func (v *comparison) Meter(ex *scoring.Exchange, now time.Time) {
	v.Scorer.Meter(ex, now)
	v.meter(ex, now)
}

// meter shows the body to who has asked for it.
func (v *comparison) meter(ex *scoring.Exchange, now time.Time) {
	v.ask(ex, func(s *side) policy.Verdict {
		if !s.verdict.Body {
			return s.verdict
		}
		return s.gate.Meter(&s.c, now)
	})
}

// unscored shows a body that only what a policy has decided asks for, as a
// budget does: if it were scored, profiles would depend on decisions.
func (v *comparison) unscored(ex *scoring.Exchange, r *recorded.Exchange, now time.Time) {
	seen := *ex
	r.Body(&seen)
	v.meter(&seen, now)
}

func (v *comparison) Complete(ex *scoring.Exchange, end scoring.End, now time.Time) {
	v.Scorer.Complete(ex, end, now)
	v.ask(ex, func(s *side) policy.Verdict {
		s.actions[s.verdict.Action]++
		s.gate.Close(&s.c, end, now)
		return s.verdict
	})
}

// scored is the Scorer of a side: it is done already.
type scored struct{}

func (scored) Begin(*scoring.Exchange)                            {}
func (scored) Attempt(*scoring.Exchange)                          {}
func (scored) Answer(*scoring.Exchange, time.Time)                {}
func (scored) Meter(*scoring.Exchange, time.Time)                 {}
func (scored) Complete(*scoring.Exchange, scoring.End, time.Time) {}

// onlooker lets everything pass, and reads what any of the policies reads.
type onlooker []*rego.Engine

func (o onlooker) Reads(p policy.Phase) bool {
	return slices.ContainsFunc(o, func(e *rego.Engine) bool { return e.Reads(p) })
}

func (onlooker) Decide(context.Context, *policy.Input) (*policy.Decision, error) {
	return &policy.Decision{Action: policy.Allow}, nil
}
