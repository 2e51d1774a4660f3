package policy

import (
	"context"
	"sync"
	"testing"
	"time"
)

// recaller knows some decisions by their phase.
type recaller struct {
	*decider
	knows map[Phase]*Decision
}

func (r *recaller) Recall(in *Input) (*Decision, bool) {
	d, ok := r.knows[in.Phase]
	return d, ok
}

func (r *recaller) Remembered() int { return len(r.knows) }

func TestWhatIsKnownIsNotEvaluated(t *testing.T) {
	r := &recaller{saying(Decision{Action: Allow}), map[Phase]*Decision{PhaseRequest: {Action: Throttle, Conflicts: 2}}}
	r.reads = map[Phase]bool{PhaseResponse: true}
	read := 0
	b := newBench(r, func(c *Config) {
		c.Clock = func() time.Time { read++; return at }
	})
	c := request() // its ID ends with 0: it would be timed
	if v := b.Open(c); v.Action != Throttle || v.RetryAfter != DefaultRetryAfter {
		t.Errorf("%v after %v", v.Action, v.RetryAfter)
	}
	if len(r.asked) > 0 || read > 0 {
		t.Errorf("evaluated at %v, the clock read %d times", r.asked, read)
	}
	respond(c, 200, 10)
	if v := b.Answer(c, at); v.Action != Throttle {
		t.Errorf("at the response: %v", v.Action)
	}
	if len(r.asked) != 1 || read != 2 {
		t.Errorf("evaluated at %v, the clock read %d times", r.asked, read)
	}
	f := func(name string, want float64, labels ...string) {
		t.Helper()
		if got := b.value(t, name, labels...); got != want {
			t.Errorf("%s %v is %v, want %v", name, labels, got, want)
		}
	}
	f("wonted_decision_memo_total", 1, "result", "hit")
	f("wonted_decision_memo_total", 1, "result", "miss")
	f("wonted_header_conflicts_total", 2)
	if n := b.remembered(); n != 1 {
		t.Errorf("%d remembered", n)
	}
	b.SetDecider(saying(Decision{Action: Allow}))
	if n := b.remembered(); n != 0 {
		t.Errorf("%d remembered by a decider that remembers nothing", n)
	}
}

// A policy without a memo is evaluated every time, and that is counted.
func TestEveryEvaluationIsAMiss(t *testing.T) {
	d := saying(Decision{Action: Allow})
	b := newBench(d, nil)
	for range 3 {
		b.Open(request())
	}
	if hit, miss := b.value(t, "wonted_decision_memo_total", "result", "hit"), b.value(t, "wonted_decision_memo_total", "result", "miss"); hit != 0 || miss != 3 {
		t.Errorf("%v hits, %v misses", hit, miss)
	}
}

// What is known is had even where there would be no time to evaluate.
func TestRecallNeedsNoDeadline(t *testing.T) {
	r := &recaller{saying(Decision{Action: Allow}), map[Phase]*Decision{PhaseRequest: {Action: Deny}}}
	r.hook = func(ctx context.Context, _ *Input) { t.Error("evaluated") }
	b := newBench(r, func(c *Config) { c.Deadline = time.Nanosecond })
	if v := b.Open(request()); v.Action != Deny || v.Failed != "" {
		t.Errorf("%v, failed %q", v.Action, v.Failed)
	}
}

func TestTallyCountsEverything(t *testing.T) {
	var n tally
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10_000 {
				n.inc()
			}
		})
	}
	wg.Wait()
	if n.sum() != 80_000 {
		t.Errorf("%d of 80000", n.sum())
	}
	if a := testing.AllocsPerRun(1000, n.inc); a >= 1 && !underRace {
		t.Errorf("%v allocations", a)
	}
}

func BenchmarkTally(b *testing.B) {
	var n tally
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			n.inc()
		}
	})
}
