package policy

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// world is traffic before a Gate with a breaker, by the second.
type world struct {
	*bench
	now      time.Time
	hits     func(caller int) bool // the rule "bad" wants this caller's next exchange denied
	refused  int
	passed   int
	log      bytes.Buffer
	random   *rand.Rand
	standing func(*scoring.Assessment) // of who comes
}

func newWorld(change func(*Config)) *world {
	w := &world{now: at, random: rand.New(rand.NewPCG(1, 2)), hits: func(int) bool { return false }}
	denied := (&Rules{Deny: []Rule{aRule("bad", Stage{})}}).Combine()
	d := &decider{at: map[Phase]*Decision{}}
	d.hook = func(_ context.Context, in *Input) {
		d.at[PhaseRequest] = &allowed
		if caller := int(Principal(in.Exchange).Key.Hi); w.hits(caller) {
			d.at[PhaseRequest] = denied
		}
	}
	w.bench = newBench(d, func(c *Config) {
		c.Breaker = BreakerConfig{Enabled: true}
		c.Log = zerolog.New(&w.log)
		if change != nil {
			change(c)
		}
	})
	w.bench.scorer.begin = func(ex *scoring.Exchange) { w.standing(&ex.Assessment) }
	w.standing = good
	return w
}

func good(a *scoring.Assessment)      { a.Mature, a.Threshold = true, 4 }
func anomalous(a *scoring.Assessment) { a.Mature, a.Threshold, a.Score, a.Anomalous = true, 4, 6, true }
func unknown(a *scoring.Assessment)   { a.Mature, a.Threshold = false, 4 }

// exchange is one of a caller's, with its key as a keyed hash spreads it.
func (w *world) exchange(caller int) {
	c := request()
	c.Exchange.Time = w.now
	c.Exchange.Entities[profile.KindCaller].Key = profile.Key{Hi: uint64(caller), Lo: uint64(caller) * 0x9e3779b97f4a7c15}
	if w.Open(c).Pass {
		w.passed++
	} else {
		w.refused++
	}
	w.Close(c, scoring.Answered, w.now)
}

// pass lets time pass, with so many exchanges a second of so many callers.
func (w *world) pass(d time.Duration, rate, callers int) {
	for end := w.now.Add(d); w.now.Before(end); w.now = w.now.Add(time.Second) {
		for range rate {
			w.exchange(1 + w.random.IntN(callers))
		}
		w.Tend(w.now)
	}
}

func (w *world) demoted() bool { return w.Rules()[0].Demoted }

func always(int) bool { return true }
func never(int) bool  { return false }

// A rule that stops everybody is out within seconds, of a few exchanges; traffic
// is back, and what it wants is still told.
func TestABadRuleTrips(t *testing.T) {
	for _, mode := range []Mode{Enforce, Shadow} {
		w := newWorld(func(c *Config) { c.Mode = mode })
		w.pass(10*time.Minute, 20, 50)
		w.hits = always
		w.refused = 0
		w.pass(2*time.Second, 20, 50)
		if !w.demoted() || w.refused > 20 {
			t.Errorf("%v: after 2 s: demoted %v, %d refused", mode, w.demoted(), w.refused)
		}
		before := w.refused
		w.pass(time.Minute, 20, 50)
		if w.refused != before {
			t.Errorf("%v: %d refused by a demoted rule", mode, w.refused-before)
		}
		if got := w.reports[len(w.reports)-1]; len(got.Shadow) != 1 || got.Shadow[0].Why != "breaker" || got.Action != "allow" {
			t.Errorf("%v: %+v", mode, got)
		}
		if n := w.value(t, "wonted_breaker_trips_total", "rule", "bad"); n != 1 {
			t.Errorf("%v: %v trips", mode, n)
		}
		if s := w.log.String(); strings.Count(s, "demoted to shadow") != 1 || !strings.Contains(s, `"mode":"`+mode.String()+`"`) {
			t.Errorf("%v: log %s", mode, s)
		}
	}
}

// Whom something speaks against is refused for as long as the attack lasts.
func TestAnAttackDoesNotTrip(t *testing.T) {
	f := func(what string, who func(*scoring.Assessment), callers, rate int) {
		t.Helper()
		w := newWorld(nil)
		w.pass(5*time.Minute, 20, 50)
		w.refused = 0
		attacker := func(n int) bool { return n > 1000 }
		w.hits = attacker
		w.standing = func(a *scoring.Assessment) { good(a) }
		for range 300 {
			for range 20 {
				w.exchange(1 + w.random.IntN(50))
			}
			w.standing = who
			for range rate {
				w.exchange(1001 + w.random.IntN(callers))
			}
			w.standing = good
			w.now = w.now.Add(time.Second)
			w.Tend(w.now)
		}
		if len(w.Rules()) != 1 || w.demoted() || w.refused != 300*rate {
			t.Errorf("%s: demoted %v, %d of %d refused", what, w.demoted(), w.refused, 300*rate)
		}
	}
	f("900 new addresses", unknown, 900, 50)
	f("callers that are anomalous", anomalous, 900, 50)
	f("callers that are nearly so", func(a *scoring.Assessment) { good(a); a.Score = 3.5 }, 900, 50)
	f("one broken client in good standing", good, 1, 10)
	f("two of them", good, 2, 10)
}

// Many callers in good standing at once are too many, however small their share.
func TestManyCallersAtOnceTrip(t *testing.T) {
	w := newWorld(nil)
	w.hits = func(n int) bool { return n <= 60 } // of 20,000: 0.3 %
	w.pass(30*time.Second, 500, 20_000)
	if w.demoted() {
		t.Error("after some 40 of them")
	}
	w.hits = func(n int) bool { return n <= 200 } // 1 %
	w.pass(59*time.Second, 500, 20_000)
	if !w.demoted() {
		t.Errorf("%+v", w.Rules())
	}
}

// What a rule does every day it may do; a jump above that is one.
func TestARuleLearnsWhatIsUsual(t *testing.T) {
	w := newWorld(nil)
	share := 0.01
	w.hits = func(int) bool { return w.random.Float64() < share }
	w.pass(4*time.Hour, 20, 30)
	if w.demoted() {
		t.Fatalf("at its usual rate: %+v", w.Rules())
	}
	if u := w.Rules()[0].Usual; u.Share < 0.008 || u.Share > 0.013 || u.Minutes < 200 {
		t.Errorf("learned %+v of %v", u, share)
	}
	share = 0.2
	w.pass(20*time.Second, 20, 30)
	if !w.demoted() {
		t.Errorf("at 20 times its rate: %+v", w.Rules())
	}
}

// A demoted rule comes back when it has been quiet, later each time; and not
// before.
func TestADemotedRuleComesBack(t *testing.T) {
	w := newWorld(nil)
	f := func(quiet time.Duration) {
		t.Helper()
		w.hits = always
		w.pass(90*time.Second, 20, 50)
		if !w.demoted() {
			t.Fatal("not demoted")
		}
		w.hits = never
		w.pass(quiet-time.Minute, 20, 50)
		if !w.demoted() {
			t.Errorf("back before %v", quiet)
		}
		w.pass(2*time.Minute, 20, 50)
		if w.demoted() {
			t.Errorf("not back after %v: %+v", quiet, w.Rules())
		}
		w.refused = 0
		w.hits = func(n int) bool { return n == 1 }
		w.pass(time.Second, 20, 1)
		if w.refused == 0 {
			t.Error("back, and refuses nothing")
		}
	}
	f(10 * time.Minute)
	f(20 * time.Minute)
	w.hits = always
	w.pass(time.Hour, 20, 50)
	if !w.demoted() {
		t.Error("it has come back while it was as bad as before")
	}
	// Where no traffic comes at all, it is quiet, too.
	w.now = w.now.Add(time.Hour)
	w.Tend(w.now)
	if w.demoted() {
		t.Error("not back after an hour without traffic")
	}
}

// Who puts a rule back by hand says that it is right.
func TestARuleIsRestoredByHand(t *testing.T) {
	w := newWorld(nil)
	if _, known := w.Restore("bad", at); known {
		t.Error("a rule that never fired is known")
	}
	w.hits = func(n int) bool { return n <= 10 } // a fifth
	w.pass(3*time.Minute, 20, 50)
	if !w.demoted() {
		t.Fatal("not demoted")
	}
	if was, known := w.Restore("bad", w.now); !was || !known || w.demoted() {
		t.Errorf("%v %v", was, known)
	}
	if was, known := w.Restore("bad", w.now); was || !known {
		t.Errorf("twice: %v %v", was, known)
	}
	w.refused = 0
	w.pass(time.Hour, 20, 50)
	if w.demoted() || w.refused < 20*3600/10 {
		t.Errorf("demoted again, or not in force: %d refused, %+v", w.refused, w.Rules())
	}
	w.hits = always
	w.pass(90*time.Second, 20, 50)
	if !w.demoted() {
		t.Error("it may do anything now")
	}
}

func TestARuleWithoutABreaker(t *testing.T) {
	w := newWorld(func(c *Config) { c.Rules = RuleSettings{{Rule: "bad", Breaker: ptr(false)}} })
	w.hits = always
	w.pass(time.Minute, 20, 50)
	if w.demoted() || w.passed > 0 {
		t.Errorf("%+v", w.Rules())
	}
	w = newWorld(func(c *Config) { c.Breaker = BreakerConfig{} })
	w.hits = always
	w.pass(time.Minute, 20, 50)
	if w.demoted() || w.passed > 0 {
		t.Errorf("%+v", w.Rules())
	}
}

// A restart forgets neither a demotion nor what is usual.
func TestTheBreakerIsSaved(t *testing.T) {
	w := newWorld(nil)
	w.hits = always
	w.pass(time.Minute, 20, 50)
	saved := w.EncodeRules()
	again := newWorld(nil)
	if err := again.DecodeRules(saved); err != nil {
		t.Fatal(err)
	}
	if !again.demoted() || again.Rules()[0].Why == "" {
		t.Errorf("%+v", again.Rules())
	}
	again.now = w.now.Add(time.Minute)
	again.pass(DefaultQuiet-time.Minute, 20, 50)
	if !again.demoted() {
		t.Error("back before it has been quiet")
	}
	again.pass(2*time.Minute, 20, 50)
	if again.demoted() {
		t.Error("not back when it has been quiet")
	}
	for _, text := range []string{"", "{", `{"v":2}`, `{"v":1,"rules":{"a":{"usual":{"share":-1}}}}`, `{"v":1,"rules":{"a":{"usual":{"share":2}}}}`, string(saved[:len(saved)/2])} {
		if newWorld(nil).DecodeRules([]byte(text)) == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// The bound is that of a Poisson tail, from above.
func TestTooManyBoundsThePoissonTail(t *testing.T) {
	tail := func(k int, m float64) (p float64) { // P(X >= k), by its terms
		for i := k; i < k+400; i++ {
			l, _ := math.Lgamma(float64(i) + 1)
			p += math.Exp(float64(i)*math.Log(m) - m - l)
		}
		return p
	}
	for _, m := range []float64{0.1, 1, 10, 50, 200} {
		k := 1
		for !tooMany(float64(k), m) {
			k++
		}
		if p := tail(k, m); p > 1e-9 {
			t.Errorf("%d where %v are usual: probability %g", k, m, p)
		}
		if float64(k) < 3*m {
			t.Errorf("%d are not three times %v", k, m)
		}
	}
	if tooMany(36, freeCallers) || !tooMany(37, freeCallers) {
		t.Error("the comment says that 36 callers are let pass")
	}
}

func TestCrowdCounts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 3, 10, 40, 100, 1000, 100_000} {
		var c crowd
		for range n {
			caller := r.Uint64()
			c.add(caller)
			c.add(caller)
		}
		got := c.count()
		if math.IsInf(got, 0) || n <= 1000 && math.Abs(got-float64(n)) > 2+0.1*float64(n) || n > 1000 && got < 2000 {
			t.Errorf("%d callers are %v", n, got)
		}
	}
}
