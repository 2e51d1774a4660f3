package extproc

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// named resolves everybody to one caller, and notes what it was shown.
type named struct {
	nobody
	paths []string
}

func (n *named) Resolve(ex *scoring.Exchange) {
	n.paths = append(n.paths, string(ex.Path)+" "+string(ex.JA4))
	ex.Entities[profile.KindCaller] = scoring.Identity{Kind: profile.KindCaller, Key: profile.Key{Hi: 1}}
}

// answers are those of a script, in short.
func (s *script) brief() string {
	var all []string
	for _, a := range s.answers {
		all = append(all, brief(a))
	}
	return strings.Join(all, " ")
}

// TestReopened: an exchange that was swept while its client sent it slowly is
// judged anew when its response comes: with the whole request, at the time by
// now, under a new id that the access log gets; and it ends once more.
func TestReopened(t *testing.T) {
	clock, resolver := newHands(), &named{}
	var ids []string
	g := &fakeGate{hooks: hooks{
		onOpen: func(c *policy.Case) policy.Verdict {
			ex := &c.Exchange
			ids = append(ids, ex.ID.String())
			if string(ex.Method) != "GET" || string(ex.Path) != "/v1/orders" || ex.Status != 0 || ex.ResponseBytes != -1 || ex.Records != -1 {
				t.Errorf("opened %s %s with %d, %d, %d", ex.Method, ex.Path, ex.Status, ex.ResponseBytes, ex.Records)
			}
			if want := morning.Add(time.Duration(len(ids)-1) * time.Hour); !ex.Time.Equal(want) {
				t.Errorf("opened at %v, not %v", ex.Time, want)
			}
			return allow()
		},
		onAnswer: func(c *policy.Case) policy.Verdict {
			if c.Exchange.Status != 200 || c.Exchange.RequestBytes != 10 {
				t.Errorf("answered with %d after %d bytes", c.Exchange.Status, c.Exchange.RequestBytes)
			}
			return withBody(allow())
		},
		onMeter: func(c *policy.Case) policy.Verdict {
			if c.Exchange.Records > 2 {
				return refusal(policy.Deny, "budget")
			}
			return allow()
		},
	}}
	s := newServer(g, func(c *Config) { c.Clock, c.Identity = clock.now, resolver })
	stream := &script{messages: encodeWords(t, []string{"rqh", "rqb", "rqb", "rsh", "rsb", "rsb", "rsb$"})}
	stream.ctx = metadata.NewIncomingContext(t.Context(), metadata.Pairs(ja4Key, "t13d"))
	stream.before = func(i int) {
		if i != 2 {
			return
		}
		clock.advance(time.Hour)
		if n := s.Sweep(clock.now()); n != 1 {
			t.Errorf("%d swept", n)
		}
	}
	if err := s.process(stream); err != nil {
		t.Fatal(err)
	}
	if got := stream.brief(); got != "rqh+headers rqb rqb rsh+body rsb 403:wonted_cut rsb" {
		t.Error(got)
	}
	g.check(t)
	if e := g.ends(); len(e) != 2 || e[scoring.Unknown] != 1 || e[scoring.Truncated] != 1 {
		t.Errorf("ended as %v", e)
	}
	if len(ids) != 2 || ids[0] == ids[1] {
		t.Fatalf("the ids were %v", ids)
	}
	markOf(t, stream.answers[0], ids[0])
	if markOf(t, stream.answers[3], ids[1]) == nil {
		t.Error("the access log does not get the new id")
	}
	if !slices.Equal(resolver.paths, []string{"/v1/orders t13d", "/v1/orders t13d"}) {
		t.Errorf("resolved %q", resolver.paths)
	}
	if n := counted(s.metrics.reopened); n != 1 {
		t.Errorf("%v counted", n)
	}
}

// TestReopenedAndRefused: what was fine at the request may not be by now.
func TestReopenedAndRefused(t *testing.T) {
	f := func(name string, again, answer policy.Verdict, answers string, end scoring.End) {
		t.Helper()
		verdicts := []policy.Verdict{allow(), again}
		g := &fakeGate{hooks: hooks{
			onOpen: func(*policy.Case) policy.Verdict {
				v := verdicts[0]
				verdicts = verdicts[1:]
				return v
			},
			onAnswer: always(answer),
		}}
		s := newServer(g, nil)
		stream := &script{messages: encodeWords(t, []string{"rqh$", "rsh", "rsb$"}), before: func(i int) {
			if i == 1 {
				s.Sweep(morning.Add(time.Hour))
			}
		}}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		if got := stream.brief(); got != answers {
			t.Errorf("%s: %s", name, got)
		}
		g.check(t)
		if e := g.ends(); e[scoring.Unknown] != 1 || e[end] != 1 {
			t.Errorf("%s: ended as %v", name, e)
		}
	}
	shadow := refusal(policy.Deny, "denied")
	shadow.Mode, shadow.Pass = policy.Shadow, true
	f("at the opening", refusal(policy.Challenge, "step-up"), allow(), "rqh+headers 401:wonted_challenge rsb", scoring.Refused)
	f("at the answer", allow(), refusal(policy.Deny, "budget"), "rqh+headers 403:wonted_budget rsb", scoring.Refused)
	f("neither", allow(), allow(), "rqh+headers rsh rsb", scoring.Answered)
	f("in shadow", shadow, shadow, "rqh+headers rsh rsb", scoring.Answered)
}

// TestReopeningThatPanics costs that exchange, as the fail mode says.
func TestReopeningThatPanics(t *testing.T) {
	for answers, fail := range map[string]func(*policy.Case) policy.Verdict{
		"rqh+headers rsh":                    nil,
		"rqh+headers 503:wonted_unavailable": unavailable,
	} {
		opened := 0
		g := &fakeGate{hooks: hooks{onFail: fail, onOpen: func(*policy.Case) policy.Verdict {
			if opened++; opened == 2 {
				panic("bang")
			}
			return allow()
		}}}
		s := newServer(g, nil)
		stream := &script{messages: encodeWords(t, []string{"rqh$", "rsh", "rsb"}), before: func(i int) {
			if i == 1 {
				s.Sweep(morning.Add(time.Hour))
			}
		}}
		if err := s.process(stream); err != nil || stream.brief() != answers {
			t.Errorf("%v, %s", err, stream.brief())
		}
		g.check(t)
	}
}

// TestNothingIsReopenedWithoutAResponse.
func TestNothingIsReopenedWithoutAResponse(t *testing.T) {
	for _, rest := range []string{"", "rqb rqb$", "rqt", "rsb", "rst"} {
		g := &fakeGate{}
		s := newServer(g, nil)
		stream := &script{messages: encodeWords(t, append([]string{"rqh"}, strings.Fields(rest)...)), before: func(i int) {
			if i == 1 {
				s.Sweep(morning.Add(time.Hour))
			}
		}}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		g.check(t)
		if len(g.closed) != 1 || counted(s.metrics.reopened) != 0 {
			t.Errorf("%q: %v", rest, g.ends())
		}
	}
}

// TestMeteringOutlivesTheSweep: a response on its way is closed neither for
// silence nor for room, and stays within its budget.
func TestMeteringOutlivesTheSweep(t *testing.T) {
	g := &fakeGate{hooks: hooks{onAnswer: always(withBody(allow())), onMeter: func(c *policy.Case) policy.Verdict {
		if c.Exchange.Records > 2 {
			return refusal(policy.Deny, "budget")
		}
		return allow()
	}}}
	s := newServer(g, func(c *Config) { c.MaxOpen = 1 })
	stream := &script{messages: encodeWords(t, []string{"rqh$", "rsh", "rsb", "rsb", "rsb"}), before: func(i int) {
		if i < 2 {
			return
		}
		if n := s.Sweep(morning.Add(time.Hour)); n != 0 {
			t.Errorf("before message %d: %d swept", i, n)
		}
		for range 3 { // they come and go without it
			if err := s.process(&script{messages: encodeWords(t, []string{"rqh$", "rsh$"})}); err != nil {
				t.Error(err)
			}
		}
	}}
	if err := s.process(stream); err != nil {
		t.Fatal(err)
	}
	if got := stream.brief(); got != "rqh+headers rsh+body rsb 403:wonted_cut rsb" {
		t.Error(got)
	}
	g.check(t)
	if e := g.ends(); e[scoring.Unknown] != 0 || e[scoring.Truncated] != 1 {
		t.Errorf("ended as %v", e)
	}

	// The end of the process closes it nevertheless.
	stream = &script{messages: encodeWords(t, []string{"rqh$", "rsh", "rsb", "rsb"}), before: func(i int) {
		if i == 2 && s.Drain() != 1 {
			t.Error("not drained")
		}
	}}
	if err := s.process(stream); err != nil || stream.brief() != "rqh+headers rsh+body rsb rsb" {
		t.Errorf("%v, %s", err, stream.brief())
	}
	g.check(t)
}

// TestNobodyEscapesBySlowness: while a sweeper runs without a pause over a table
// that is far too small, no response and no chunk over the budget gets by.
func TestNobodyEscapesBySlowness(t *testing.T) {
	g := &fakeGate{hooks: hooks{
		onAnswer: func(c *policy.Case) policy.Verdict {
			if c.Exchange.Status == 404 {
				return refusal(policy.Deny, "denied")
			}
			return withBody(allow())
		},
		onMeter: func(c *policy.Case) policy.Verdict {
			if c.Exchange.Records > 2 {
				return refusal(policy.Deny, "budget")
			}
			return allow()
		},
	}}
	s := newServer(g, func(c *Config) { c.MaxOpen, c.Clock, c.Deadline = 4, time.Now, time.Nanosecond })
	ctx, cancel := context.WithCancel(t.Context())
	var sweepers, streams sync.WaitGroup
	sweepers.Go(func() {
		for ctx.Err() == nil {
			s.Sweep(time.Now())
		}
	})
	scripts := map[string]string{
		"rqh rqb rqb$ rsh$":                "rqh+headers rqb rqb 403:wonted_deny",
		"rqh rqb$ rsh rsb rsb rsb rsb$":    "rqh+headers rqb rsh+body rsb 403:wonted_cut rsb rsb",
		"rqh rsh rsb rqb rqb$ rsb rsb rst": "rqh+headers rsh+body rsb rqb rqb 403:wonted_cut rsb rst",
		"rqh$ rsh rsb$":                    "rqh+headers rsh+body rsb",
	}
	list := slices.Sorted(maps.Keys(scripts))
	for w := range 16 {
		streams.Go(func() {
			for i := range 100 {
				words := list[(w+i)%len(list)]
				stream := &script{messages: encodeWords(t, strings.Fields(words)), before: func(int) { runtime.Gosched() }}
				if err := s.process(stream); err != nil {
					t.Error(err)
				}
				if got := stream.brief(); got != scripts[words] {
					t.Errorf("%s:\n got %s\nwant %s", words, got, scripts[words])
				}
			}
		})
	}
	streams.Wait()
	cancel()
	sweepers.Wait()
	g.check(t)
	reopened := int(counted(s.metrics.reopened))
	if len(g.closed) != 1600+reopened || s.Stats().Open != 0 || counted(s.metrics.open) != 0 {
		t.Errorf("%d closed, %d open, %d opened again", len(g.closed), s.Stats().Open, reopened)
	}
	if reopened == 0 {
		t.Error("nothing was opened again: the test proves nothing")
	}
	t.Log(g.ends(), reopened)
}

// yes allows everything, with a budget.
type yes struct{ decision policy.Decision }

func (y *yes) Decide(context.Context, *policy.Input) (*policy.Decision, error) {
	return &y.decision, nil
}
func (y *yes) Reads(policy.Phase) bool { return false }

// TestReopenedCountsOnce, with the real Gate over the real Scorer: the profile
// holds a request an opening and one accepted answer, whatever was swept, and the
// budget binds.
func TestReopenedIsAcceptedOnce(t *testing.T) {
	f := func(sweep bool, messages, answers string, requests, accepted uint32) {
		t.Helper()
		store := profile.New(profile.Default())
		decider := &yes{policy.Decision{Action: policy.Allow, Budget: policy.Budget{Records: 2}}}
		gate := policy.NewGate(policy.Config{Scorer: scoring.New(scoring.Config{Store: store}), Decider: decider, Mode: policy.Enforce})
		clock := newHands()
		s := newServer(gate, func(c *Config) { c.Clock, c.Identity = clock.now, &named{} })
		stream := &script{messages: encodeWords(t, strings.Fields(messages)), before: func(i int) {
			if i > 0 && sweep {
				clock.advance(6 * time.Minute)
				s.Sweep(clock.now())
			}
		}}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		if got := stream.brief(); got != answers {
			t.Errorf("swept %v: %s", sweep, got)
		}
		rec, pin, ok := store.Find(profile.Key{Hi: 1})
		if !ok {
			t.Fatal("there is no profile")
		}
		defer pin.Release()
		if sweep && accepted > 0 {
			requests++ // opened twice
		}
		if rec.Requests != requests || rec.Accepted != accepted || rec.InFlight != 0 {
			t.Errorf("swept %v, %s: %d requests, %d accepted, %d in flight", sweep, messages, rec.Requests, rec.Accepted, rec.InFlight)
		}
	}
	for _, sweep := range []bool{false, true} {
		f(sweep, "rqh rqb$ rsh rsb rst", "rqh+headers rqb rsh+body rsb rst", 1, 1)
		f(sweep, "rqh rqb$ rsh rsb rsb rsb$", "rqh+headers rqb rsh+body rsb 403:wonted_cut rsb", 1, 1)
		f(sweep, "rqh rqb$", "rqh+headers rqb", 1, 0)
	}
}
