package policy

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/scoring"
)

func TestEnforceCarriesOut(t *testing.T) {
	f := func(d Decision, pass bool, class string, status int) {
		t.Helper()
		b := newBench(saying(d), nil)
		v := b.Open(request())
		if v.Action != d.Action || v.Pass != pass || v.Class != class || v.HTTPStatus() != status || v.Mode != Enforce || v.At != at {
			t.Errorf("%v: got action %v pass %v class %q status %d mode %v at %v", d.Action, v.Action, v.Pass, v.Class, v.HTTPStatus(), v.Mode, v.At)
		}
	}
	f(Decision{Action: Allow}, true, "", 200)
	f(Decision{Action: Throttle}, false, "rate", 429)
	f(Decision{Action: Challenge}, false, "step-up", 401)
	f(Decision{Action: Deny}, false, "denied", 403)
	f(Decision{Action: Deny, Status: 451}, false, "denied", 451)
}

func TestThrottleAlwaysSaysWhenToRetry(t *testing.T) {
	b := newBench(saying(Decision{Action: Throttle}), nil)
	if v := b.Open(request()); v.RetryAfter != DefaultRetryAfter {
		t.Errorf("retry after %v, want the default %v", v.RetryAfter, DefaultRetryAfter)
	}
}

func TestShadowNeverBlocksAndChangesNothing(t *testing.T) {
	headers := []HeaderRule{{Name: "x-risk", Value: "high"}}
	f := func(what string, d *decider, fail FailMode, want Action) {
		t.Helper()
		b := newBench(d, func(c *Config) { c.Mode, c.Fail = Shadow, fail })
		c := request()
		v := b.Open(c)
		if !v.Pass || len(v.Request)+len(v.Response) > 0 {
			t.Errorf("%s at the request: pass %v headers %v", what, v.Pass, v.Request)
		}
		respond(c, 200, 1_000_000)
		if v = b.Answer(c, at); !v.Pass || v.Action != want || len(v.Response) > 0 {
			t.Errorf("%s at the response: pass %v action %v headers %v", what, v.Pass, v.Action, v.Response)
		}
		c.Exchange.Records = 1_000_000
		if v = b.Meter(c, at); !v.Pass || v.Action != want {
			t.Errorf("%s in the body: pass %v action %v", what, v.Pass, v.Action)
		}
		b.Close(c, scoring.Answered, at)
		if got := b.value(t, "wonted_decisions_total", "mode", "shadow", "action", want.String()); got != 1 {
			t.Errorf("%s: %v shadow decisions counted as %v, want 1", what, got, want)
		}
		if len(b.reports) != 1 || b.reports[0].Mode != "shadow" || b.reports[0].Action != want.String() {
			t.Errorf("%s: reports %+v", what, b.reports)
		}
	}
	f("deny", saying(Decision{Action: Deny, Request: headers, Response: headers}), FailOpen, Deny)
	f("failure, closed", &decider{err: context.Canceled}, FailClosed, Deny)
	f("budget", saying(Decision{Action: Allow, Reason: "kept", Budget: Budget{Bytes: 10}, Response: headers}), FailOpen, Deny)
}

func TestScorerHearsOfEveryExchangeOnce(t *testing.T) {
	f := func(end scoring.End, d Decision, mode Mode, want []string) {
		t.Helper()
		b := newBench(saying(d), func(c *Config) { c.Mode = mode })
		c := request()
		if b.Open(c).Pass {
			b.Open(c) // a second request on one stream is nobody's plan
			respond(c, 200, -1)
			b.Answer(c, at)
			b.Meter(c, at)
		}
		b.Close(c, end, at)
		b.Close(c, scoring.Unknown, at)
		b.Meter(c, at) // a straggler
		b.Answer(c, at)
		if diff := cmp.Diff(want, b.scorer.calls); diff != "" {
			t.Errorf("calls:\n%s", diff)
		}
		if !slices.Equal(b.scorer.ends, []scoring.End{end}) {
			t.Errorf("ends %v, want only %v", b.scorer.ends, end)
		}
		if got := b.value(t, "wonted_exchanges_total"); got != 1 {
			t.Errorf("%v exchanges counted", got)
		}
	}
	f(scoring.Answered, Decision{Action: Allow}, Enforce, []string{"begin", "answer", "meter", "complete"})
	f(scoring.Refused, Decision{Action: Deny}, Enforce, []string{"begin", "complete"})
	f(scoring.Answered, Decision{Action: Deny}, Shadow, []string{"begin", "answer", "meter", "complete"})
}

func TestResponseWithoutRequestPasses(t *testing.T) {
	b := newBench(saying(Decision{Action: Deny}), nil)
	c := request()
	if v := b.Answer(c, at); !v.Pass || v.Action != Allow {
		t.Errorf("pass %v action %v: nobody has judged a request", v.Pass, v.Action)
	}
	b.Close(c, scoring.Answered, at)
	if len(b.scorer.calls) > 0 || len(b.reports) > 0 {
		t.Errorf("scorer heard %v, sink %v", b.scorer.calls, b.reports)
	}
}

func TestOneModeAndOnePolicyForAnExchange(t *testing.T) {
	lax := saying(Decision{Action: Allow})
	lax.reads = map[Phase]bool{PhaseResponse: true}
	strict := saying(Decision{Action: Deny})
	strict.reads = lax.reads
	b := newBench(lax, shadow)
	c := request()
	b.Open(c)
	b.SetDecider(strict)
	b.SetMode(Enforce)
	respond(c, 200, 10)
	if v := b.Answer(c, at); v.Mode != Shadow || v.Action != Allow {
		t.Errorf("an open exchange changed to mode %v, action %v", v.Mode, v.Action)
	}
	if v := b.Open(request()); v.Pass || b.Mode() != Enforce {
		t.Error("the next exchange is not judged by the new policy in the new mode")
	}
}

func TestAsksAgainOnlyWhereTheAnswerMayDiffer(t *testing.T) {
	grow := func(score float64) func(*scoring.Exchange) {
		return func(ex *scoring.Exchange) {
			ex.Assessment.Score = score
			ex.Assessment.Anomalous = score >= ex.Assessment.Threshold
			ex.Assessment.Evidence = []scoring.Evidence{{Detector: scoring.Volume, Score: score}}
		}
	}
	f := func(reads map[Phase]bool, see, meter func(*scoring.Exchange), want ...Phase) {
		t.Helper()
		d := saying(Decision{Action: Allow})
		d.reads = reads
		b := newBench(d, nil)
		b.scorer.see, b.scorer.meter = see, meter
		c := request()
		b.Open(c)
		respond(c, 200, -1)
		b.Answer(c, at)
		b.Meter(c, at)
		b.Meter(c, at)
		if diff := cmp.Diff(append([]Phase{PhaseRequest}, want...), d.asked); diff != "" {
			t.Errorf("asked at:\n%s", diff)
		}
	}
	f(nil, nil, nil)
	f(nil, grow(1), grow(1.9))
	f(nil, grow(4), grow(4.2), PhaseResponse)
	f(nil, grow(1), grow(5), PhaseBody)
	f(nil, grow(4), grow(4.6), PhaseResponse, PhaseBody)
	f(map[Phase]bool{PhaseResponse: true}, nil, nil, PhaseResponse)
	f(map[Phase]bool{PhaseBody: true}, nil, nil, PhaseBody, PhaseBody)
}

func TestSevereStaysSevere(t *testing.T) {
	d := &decider{
		at:    map[Phase]*Decision{PhaseRequest: {Action: Challenge, Reason: "first"}, PhaseResponse: {Action: Throttle, Reason: "second"}, PhaseBody: {Action: Deny, Reason: "third"}},
		reads: map[Phase]bool{PhaseResponse: true, PhaseBody: true},
	}
	b := newBench(d, shadow)
	c := request()
	b.Open(c)
	respond(c, 200, -1)
	if v := b.Answer(c, at); v.Action != Challenge || v.Reason != "first" || v.Class != "step-up" {
		t.Errorf("a milder decision replaced %v %q with class %q", v.Action, v.Reason, v.Class)
	}
	if v := b.Meter(c, at); v.Action != Deny || v.Reason != "third" {
		t.Errorf("a severer decision was not taken: %v %q", v.Action, v.Reason)
	}
}

func TestLaterAllowTakesOver(t *testing.T) {
	d := &decider{
		at:    map[Phase]*Decision{PhaseRequest: {Action: Allow}, PhaseResponse: {Action: Allow, Response: []HeaderRule{{Name: "x-seen", Value: "1"}}}},
		reads: map[Phase]bool{PhaseResponse: true},
	}
	b := newBench(d, nil)
	c := request()
	b.Open(c)
	respond(c, 200, 10)
	if v := b.Answer(c, at); len(v.Response) != 1 {
		t.Errorf("response headers of the decision at the response: %v", v.Response)
	}
}

func TestPanicLeavesACaseThatCloses(t *testing.T) {
	f := func(sabotage func(*bench, *decider), completed bool) {
		t.Helper()
		d := saying(Decision{Action: Allow})
		b := newBench(d, func(c *Config) { c.Fail = FailClosed })
		sabotage(b, d)
		c := request()
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the gate swallowed a panic: the carrier counts them")
				}
			}()
			b.Open(c)
		}()
		if v := b.Fail(c, "panic"); v.Pass || v.Class != "unavailable" || v.HTTPStatus() != 503 {
			t.Errorf("after a panic: pass %v class %q", v.Pass, v.Class)
		}
		b.Close(c, scoring.Refused, at)
		b.Close(c, scoring.Refused, at)
		if got := slices.Contains(b.scorer.calls, "complete"); got != completed {
			t.Errorf("completed %v, want %v", got, completed)
		}
		if got := b.value(t, "wonted_policy_failures_total", "reason", "panic"); got != 1 {
			t.Errorf("%v failures counted", got)
		}
	}
	f(func(b *bench, _ *decider) { b.scorer.begin = func(*scoring.Exchange) { panic("begin") } }, false)
	f(func(_ *bench, d *decider) { d.hook = func(context.Context, *Input) { panic("decide") } }, true)
}

func TestPanicWithoutFailStillCloses(t *testing.T) {
	d := saying(Decision{Action: Allow})
	d.hook = func(context.Context, *Input) { panic("decide") }
	b := newBench(d, nil)
	c := request()
	func() {
		defer func() { _ = recover() }()
		b.Open(c)
	}()
	b.Close(c, scoring.Unknown, at)
	if !slices.Equal(b.scorer.calls, []string{"begin", "complete"}) {
		t.Errorf("scorer heard %v", b.scorer.calls)
	}
}

func TestCaseIsReusable(t *testing.T) {
	b := newBench(saying(Decision{Action: Deny}), nil)
	c := request()
	b.Open(c)
	b.Close(c, scoring.Refused, at)
	c.Reset()
	c.Exchange = request().Exchange
	if v := b.Open(c); v.Action != Deny {
		t.Errorf("action %v", v.Action)
	}
	b.Close(c, scoring.Refused, at)
	if len(b.scorer.ends) != 2 || len(b.reports) != 2 {
		t.Errorf("%d ends, %d reports for two exchanges", len(b.scorer.ends), len(b.reports))
	}
}

// plain does nothing and keeps nothing, so that what is measured or raced is
// the Gate's own.
type plain struct{}

func (plain) Begin(*scoring.Exchange)                               {}
func (plain) Answer(*scoring.Exchange, time.Time)                   {}
func (plain) Attempt(*scoring.Exchange)                             {}
func (plain) Meter(*scoring.Exchange, time.Time)                    {}
func (plain) Complete(*scoring.Exchange, scoring.End, time.Time)    {}
func (plain) Decide(_ context.Context, _ *Input) (*Decision, error) { return &allowed, nil }
func (plain) Reads(Phase) bool                                      { return false }

func TestPlainPathAllocatesNothing(t *testing.T) {
	cfg := Config{Scorer: plain{}, Decider: plain{}, Log: zerolog.Nop(), Sink: &reports{}}
	if underRace {
		cfg.Deadline = -1 // the contexts are pooled
	}
	g := NewGate(cfg)
	c := request()
	allocs := testing.AllocsPerRun(1000, func() {
		c.judgement = judgement{}
		g.Open(c)
		respond(c, 200, -1)
		if v := g.Answer(c, at); !v.Body {
			t.Fatal("a body of unknown size is not asked for")
		}
		c.Exchange.Records = 3
		g.Meter(c, at)
		g.Close(c, scoring.Answered, at)
	})
	if allocs != 0 {
		t.Errorf("%v allocations an exchange", allocs)
	}
}

func BenchmarkGate(b *testing.B) {
	g := NewGate(Config{Scorer: plain{}, Decider: plain{}, Log: zerolog.Nop()})
	c := request()
	b.ReportAllocs()
	for b.Loop() {
		c.judgement = judgement{}
		g.Open(c)
		respond(c, 200, 100)
		g.Answer(c, at)
		g.Close(c, scoring.Answered, at)
	}
}

func TestManyAtOnce(t *testing.T) {
	g := NewGate(Config{Scorer: plain{}, Decider: plain{}, Log: zerolog.Nop()})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				c := request()
				if v := g.Open(c); v.Action != Allow {
					t.Errorf("action %v", v.Action)
				}
				g.SetMode(Mode(i % 2))
				g.SetDecider(plain{})
				respond(c, 200, -1)
				g.Answer(c, at)
				g.Meter(c, at)
				g.Close(c, scoring.Answered, at)
			}
		})
	}
	wg.Wait()
}

// The name that an attempt gives comes after the request was allowed, and may
// change that; before Open and after Close it changes nothing.
func TestAttempt(t *testing.T) {
	d := saying(Decision{Action: Allow})
	b := newBench(d, nil)
	c := request()
	b.Open(c)
	d.at[PhaseRequest] = &Decision{Action: Deny}
	if v := b.Attempt(c, at); v.Pass || v.Action != Deny || v.Class != "denied" {
		t.Errorf("%+v", v)
	}
	b.Close(c, scoring.Refused, at)
	if want := []string{"begin", "attempt", "complete"}; !slices.Equal(b.scorer.calls, want) {
		t.Errorf("%v, want %v", b.scorer.calls, want)
	}
	b.Attempt(c, at)
	b.Attempt(&Case{}, at)
	if len(b.scorer.calls) != 3 {
		t.Errorf("%v", b.scorer.calls)
	}
}
