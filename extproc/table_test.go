package extproc

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// held starts streams that wait after their request headers, and returns what
// lets each go on with the rest of its messages.
func held(t *testing.T, s *Server, n int, words ...string) (goOn func(i int) *script, wait func()) {
	t.Helper()
	var group sync.WaitGroup
	streams := make([]*script, n)
	gates := make([]chan struct{}, n)
	for i := range n {
		waits, gate := make(chan struct{}), make(chan struct{})
		gates[i] = gate
		streams[i] = &script{messages: encodeWords(t, append([]string{"rqh$"}, words...)), before: func(k int) {
			if k == 1 {
				close(waits)
				<-gate
			}
		}}
		group.Go(func() {
			if err := s.process(streams[i]); err != nil {
				t.Error(err)
			}
		})
		<-waits
	}
	return func(i int) *script { close(gates[i]); return streams[i] }, group.Wait
}

// TestDeadline: an overdue exchange is closed as unknown while its stream still
// lives, once, and judged anew when its response comes after all.
func TestDeadline(t *testing.T) {
	clock := newHands()
	g := &fakeGate{hooks: hooks{onAnswer: always(refusal(policy.Deny, "denied"))}}
	s := newServer(g, func(c *Config) { c.Clock = clock.now })
	goOn, wait := held(t, s, 3, "rsh", "rsb", "rsb$")

	if n := s.Sweep(morning.Add(DefaultDeadline - time.Second)); n != 0 {
		t.Errorf("%d closed too early", n)
	}
	if n := s.Sweep(morning.Add(DefaultDeadline + time.Second)); n != 3 {
		t.Errorf("%d closed", n)
	}
	if n := s.Sweep(morning.Add(DefaultDeadline + time.Minute)); n != 0 {
		t.Errorf("%d closed twice", n)
	}
	if n := g.ends()[scoring.Unknown]; n != 3 || s.Stats().Open != 0 {
		t.Errorf("%v, %d open", g.ends(), s.Stats().Open)
	}
	var streams []*script
	for i := range 3 {
		streams = append(streams, goOn(i))
	}
	wait()
	for _, stream := range streams {
		for i, want := range []string{"rqh+headers", "403:wonted_deny", "rsb", "rsb"} {
			if got := brief(stream.answers[i]); got != want {
				t.Errorf("answer %d is %s, not %s", i, got, want)
			}
		}
	}
	g.check(t)
	if e := g.ends(); e[scoring.Unknown] != 3 || e[scoring.Refused] != 3 {
		t.Errorf("%v", e)
	}
	if n := counted(s.metrics.swept.deadline); n != 3 {
		t.Errorf("%v counted", n)
	}
}

// TestDeadlineIsOfSilence: a response that is still passing is not overdue; or
// a slow reader would outlive his budget.
func TestDeadlineIsOfSilence(t *testing.T) {
	clock := newHands()
	g := &fakeGate{hooks: hooks{onAnswer: always(withBody(allow()))}}
	s := newServer(g, func(c *Config) { c.Clock = clock.now })
	words := []string{"rqh$", "rsh"}
	for range 20 {
		words = append(words, "rsb")
	}
	words = append(words, "rsb$")
	stream := &script{messages: encodeWords(t, words), before: func(int) {
		clock.advance(time.Minute)
		s.Sweep(clock.now())
	}}
	if err := s.process(stream); err != nil {
		t.Fatal(err)
	}
	g.check(t)
	if g.ends()[scoring.Answered] != 1 {
		t.Errorf("ended as %v", g.ends())
	}
	if d := g.last.Duration; d != 22*time.Minute {
		t.Errorf("took %v", d)
	}
}

// TestCapacity: over the cap the oldest is closed as unknown, and the newcomer
// judged.
func TestCapacity(t *testing.T) {
	g := &fakeGate{}
	s := newServer(g, func(c *Config) { c.MaxOpen = 4 })
	goOn, wait := held(t, s, 10, "rsh")
	if n := s.Stats().Open; n != 4 {
		t.Errorf("%d open", n)
	}
	if n := len(g.opened); n != 10 {
		t.Errorf("%d judged", n)
	}
	if n := g.ends()[scoring.Unknown]; n != 6 {
		t.Errorf("%d closed", n)
	}
	for i := range 10 {
		goOn(i)
	}
	wait()
	g.check(t)
	// Each response finds its exchange open or opens it again, for which another
	// may have to leave.
	evicted := int(counted(s.metrics.swept.capacity))
	if e := g.ends(); e[scoring.Answered] != 10 || e[scoring.Unknown] != evicted || evicted < 6 {
		t.Errorf("%v, %d evicted", e, evicted)
	}
	if n := int(counted(s.metrics.reopened)); n != evicted {
		t.Errorf("%d evicted, %d opened again", evicted, n)
	}
}

func TestDrain(t *testing.T) {
	g := &fakeGate{}
	s := newServer(g, nil)
	goOn, wait := held(t, s, 5, "rsh")
	if n := s.Drain(); n != 5 || g.ends()[scoring.Unknown] != 5 {
		t.Errorf("%d closed, %v", n, g.ends())
	}
	for i := range 5 {
		goOn(i)
	}
	wait()
	g.check(t)
}

// TestSweepSurvivesPanic of the Gate's Close, and closes the others.
func TestSweepSurvivesPanic(t *testing.T) {
	g := &fakeGate{hooks: hooks{onClose: func(*policy.Case, scoring.End) { panic("bang") }}}
	s := newServer(g, nil)
	goOn, wait := held(t, s, 3)
	if n := s.Sweep(morning.Add(time.Hour)); n != 3 {
		t.Errorf("%d closed", n)
	}
	for i := range 3 {
		goOn(i)
	}
	wait()
	g.check(t)
	if n := counted(s.metrics.panics); n != 3 {
		t.Errorf("%v panics counted", n)
	}
}

// TestConcurrency: many streams, swept and evicted while they run; the fake
// Gate sees to it that no case is used twice at once and each closes once.
func TestConcurrency(t *testing.T) {
	var n int
	var mu sync.Mutex
	odd := func(*policy.Case) policy.Verdict {
		mu.Lock()
		defer mu.Unlock()
		if n++; n%50 == 0 {
			panic("bang")
		}
		return withBody(allow())
	}
	registry := prometheus.NewRegistry()
	g := &fakeGate{hooks: hooks{onAnswer: odd}}
	s := newServer(g, func(c *Config) {
		c.MaxOpen, c.Registerer, c.Clock, c.Deadline = 8, registry, time.Now, 50*time.Microsecond
	})
	ctx, cancel := context.WithCancel(t.Context())
	var sweepers, streams sync.WaitGroup
	sweepers.Go(func() {
		for ctx.Err() == nil {
			s.Sweep(time.Now())
		}
	})
	messages := encodeWords(t, []string{"rqh", "rqb$", "rsh", "rsb", "rsb", "rsb$"})
	for w := range 16 {
		streams.Go(func() {
			for i := range 100 {
				stream := &script{messages: messages[:1+(w+i)%len(messages)]}
				if err := s.process(stream); err != nil {
					t.Error(err)
				}
			}
		})
	}
	streams.Wait()
	cancel()
	sweepers.Wait()
	g.check(t)
	if len(g.closed) != 1600+int(counted(s.metrics.reopened)) || s.Stats().Open != 0 || counted(s.metrics.open) != 0 {
		t.Errorf("%d closed, %d open", len(g.closed), s.Stats().Open)
	}
	if _, err := registry.Gather(); err != nil {
		t.Error(err)
	}
	t.Log(fmt.Sprint(g.ends()), s.Stats())
}

// TestRun sweeps until it is told to stop.
func TestRun(t *testing.T) {
	clock := newHands()
	closed := make(chan struct{})
	g := &fakeGate{hooks: hooks{onClose: func(*policy.Case, scoring.End) { close(closed) }}}
	s := newServer(g, func(c *Config) { c.Clock, c.Deadline = clock.now, time.Millisecond })
	goOn, wait := held(t, s, 1)
	clock.advance(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	<-closed
	cancel()
	<-done
	goOn(0)
	wait()
}

// TestClockNeverGoesBack.
func TestClockNeverGoesBack(t *testing.T) {
	times := []time.Duration{5, 3, 9, 9, 1, 10}
	c := clock{read: func() time.Time {
		t := times[0]
		times = times[1:]
		return morning.Add(t)
	}}
	for _, want := range []time.Duration{5, 5, 9, 9, 9, 10} {
		if got := c.now().Sub(morning); got != want {
			t.Errorf("%d, not %d", got, want)
		}
	}
}

func TestIDs(t *testing.T) {
	seen := map[scoring.ID]bool{{}: true}
	for range 10_000 {
		id := newID()
		if seen[id] {
			t.Fatal("twice")
		}
		seen[id] = true
	}
	if n := testing.AllocsPerRun(1000, func() { newID() }); n != 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}

// hands are a clock's that move when told.
type hands struct {
	mu sync.Mutex
	t  time.Time
}

func newHands() *hands { return &hands{t: morning} }

func (h *hands) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.t
}

func (h *hands) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.t = h.t.Add(d)
}
