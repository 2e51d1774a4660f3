package policy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/scoring"
)

func TestFailMode(t *testing.T) {
	f := func(what string, d *decider, reason string) {
		t.Helper()
		for _, fail := range []FailMode{FailOpen, FailClosed} {
			b := newBench(d, func(c *Config) { c.Fail, c.Deadline = fail, 10*time.Millisecond })
			c := request()
			v := b.Open(c)
			if v.Failed != reason {
				t.Errorf("%s: failed %q, want %q", what, v.Failed, reason)
			}
			if fail == FailOpen && (!v.Pass || v.Class != "") {
				t.Errorf("%s, open: pass %v class %q", what, v.Pass, v.Class)
			}
			if fail == FailClosed && (v.Pass || v.Class != "unavailable" || v.HTTPStatus() != 503) {
				t.Errorf("%s, closed: pass %v class %q status %d", what, v.Pass, v.Class, v.HTTPStatus())
			}
			if got := b.value(t, "wonted_policy_failures_total", "reason", reason); got != 1 {
				t.Errorf("%s: %v failures counted", what, got)
			}
			b.Close(c, scoring.Unknown, at)
			if len(b.reports) != 1 || b.reports[0].Reason != "no decision: "+reason {
				t.Errorf("%s: reports %+v", what, b.reports)
			}
		}
	}
	f("error", &decider{err: errors.New("no")}, "error")
	f("nil", &decider{}, "undefined")
	f("undecided", saying(Decision{}), "undefined")
	f("garbage", &decider{err: fmt.Errorf("deny is a number: %w", ErrContract)}, "contract")
	late := &decider{err: context.DeadlineExceeded, hook: func(ctx context.Context, _ *Input) { <-ctx.Done() }}
	f("late", late, "timeout")
}

func TestDeadlineIsArmedAfresh(t *testing.T) {
	stuck := saying(Decision{Action: Allow})
	b := newBench(stuck, func(c *Config) { c.Deadline = time.Millisecond })
	var spent context.Context
	for range 3 {
		stuck.hook = func(ctx context.Context, _ *Input) {
			if ctx == spent {
				t.Error("a context that has expired is lent again")
			}
			spent = ctx
			<-ctx.Done()
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Errorf("ended with %v", ctx.Err())
			}
		}
		b.Open(request())
	}
	none := newBench(stuck, func(c *Config) { c.Deadline = -1 })
	stuck.hook = func(ctx context.Context, _ *Input) {
		if ctx.Done() != nil {
			t.Error("a deadline below 0 is still a deadline")
		}
	}
	none.Open(request())
}

func TestFailureLaterKeepsWhatStands(t *testing.T) {
	f := func(fail FailMode, pass bool) {
		t.Helper()
		d := saying(Decision{Action: Allow, Budget: Budget{Bytes: 1000}})
		d.reads = map[Phase]bool{PhaseResponse: true}
		b := newBench(d, func(c *Config) { c.Fail = fail })
		c := request()
		b.Open(c)
		d.err = errors.New("broken meanwhile")
		respond(c, 200, 10)
		v := b.Answer(c, at)
		if v.Pass != pass || v.Failed != "error" {
			t.Errorf("%v: pass %v failed %q", fail, v.Pass, v.Failed)
		}
		if pass && v.Budget.Bytes != 1000 {
			t.Errorf("the budget of the request is gone: %+v", v.Budget)
		}
		b.Close(c, scoring.Answered, at)
		if len(b.reports) != 1 || b.reports[0].Reason != "no decision: error" {
			t.Errorf("reports %+v", b.reports)
		}
	}
	f(FailOpen, true)
	f(FailClosed, false)
}

func TestFailureIsLoggedWithoutAFlood(t *testing.T) {
	var log bytes.Buffer
	b := newBench(&decider{err: errors.New("deny is a number")}, func(c *Config) { c.Log = zerolog.New(&log) })
	for i := range 1000 {
		c := request()
		c.Exchange.Time = at.Add(time.Duration(i) * time.Millisecond)
		b.Open(c)
	}
	lines := strings.Count(log.String(), "\n")
	if lines == 0 || lines > 5 {
		t.Errorf("%d lines in a second of failures", lines)
	}
	log.Reset()
	c := request()
	c.Exchange.Time = at.Add(time.Minute)
	b.Open(c)
	for _, want := range []string{"deny is a number", `"reason":"error"`, `"phase":"request"`, `"fail":"open"`, `"suppressed":997`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log line %s lacks %s", log.String(), want)
		}
	}
}

func TestFailBeforeOpen(t *testing.T) {
	b := newBench(saying(Decision{Action: Allow}), func(c *Config) { c.Fail = FailClosed })
	c := request()
	if v := b.Fail(c, "overload"); v.Pass || v.Class != "unavailable" {
		t.Errorf("pass %v class %q", v.Pass, v.Class)
	}
	b.Close(c, scoring.Refused, at)
	if len(b.scorer.calls) > 0 {
		t.Errorf("the scorer heard %v of an exchange that it never began", b.scorer.calls)
	}
	if len(b.reports) != 1 || b.reports[0].Status != 503 {
		t.Errorf("reports %+v", b.reports)
	}
}

func TestInputSaysWhatIsKnown(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	d := saying(Decision{Action: Allow})
	var in Input
	d.hook = func(_ context.Context, i *Input) { in = *i }
	b := newBench(d, func(c *Config) { c.Location, c.Mode = zone, Shadow })
	c := request()
	c.Degraded = []string{"profiles"}
	b.Open(c)
	if in.Exchange != &c.Exchange || in.Phase != PhaseRequest || in.Mode != Shadow || in.Now.Hour() != 15 || in.Degraded[0] != "profiles" {
		t.Errorf("input %+v", in)
	}
}
