package scoring

import (
	"fmt"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// signIn is one attempt: what a person, or a list, sends.
func (w *world) signIn(user, address, network, device string, status int) *Exchange {
	return w.do(call{
		method: "POST", path: "/v1/login", user: user, status: status, bytes: 40,
		caller: address, address: address, network: network, device: device,
	})
}

// staff are people who sign in every morning from where they work; one in ten
// mistypes first.
type staff struct {
	name     string
	people   int
	mistypes int // one in so many
}

// morning lets all of them sign in within an hour, in any order.
func (w *world) morning(crews ...staff) {
	type person struct {
		crew *staff
		name string
	}
	var all []person
	for i := range crews {
		for p := range crews[i].people {
			all = append(all, person{&crews[i], fmt.Sprintf("%s-%d", crews[i].name, p)})
		}
	}
	w.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, p := range all {
		w.now = w.now.Add(time.Hour / time.Duration(len(all)))
		device := fmt.Sprintf("browser %d", w.rng.IntN(3))
		if w.rng.IntN(p.crew.mistypes) == 0 {
			w.signIn(p.name, p.crew.name, p.crew.name, device, 401)
		}
		w.signIn(p.name, p.crew.name, p.crew.name, device, 200)
	}
}

// weeks lets them come for n days, and stops at nine o'clock.
func (w *world) mornings(n int, crews ...staff) {
	start := w.now
	for d := range n {
		w.now = start.Add(time.Duration(24*d+8) * time.Hour)
		w.morning(crews...)
	}
}

var offices = []staff{{"office-1", 300, 10}, {"office-2", 80, 10}, {"home", 40, 8}}

// town is a world in which people have signed in for a week; none of that is odd.
func town(t *testing.T) *world {
	w := newWorld(t)
	w.mornings(7, offices...)
	w.quiet("a week of signing in")
	return w
}

func (w *world) quiet(what string) {
	w.t.Helper()
	if w.anomalous != 0 {
		w.t.Errorf("%s: %d of %d exchanges are anomalous", what, w.anomalous, w.exchanges)
	}
	w.exchanges, w.anomalous = 0, 0
}

// Behind one address sits an office; on the first day nobody knows it.
func TestOfficeBehindOneAddress(t *testing.T) {
	w := newWorld(t)
	w.mornings(1, staff{"office", 500, 5})
	w.quiet("the first morning")
	w.mornings(5, staff{"office", 500, 5})
	w.quiet("a week")
}

// Passwords were reset: everybody fails, once to three times, and signs in some
// minutes later, where he always does or, one in five, somewhere else.
func TestResetWave(t *testing.T) {
	w := town(t)
	type coming struct {
		at    time.Time
		name  string
		place string
		tries int
	}
	var all []coming
	for _, crew := range offices {
		for p := range crew.people {
			c := coming{w.now.Add(time.Duration(w.rng.IntN(3600)) * time.Second), fmt.Sprintf("%s-%d", crew.name, p), crew.name, 1 + w.rng.IntN(3)}
			if w.rng.IntN(5) == 0 {
				c.place = fmt.Sprintf("mobile-%d", w.rng.IntN(20))
			}
			all = append(all, c)
		}
	}
	end := w.now.Add(2 * time.Hour)
	for ; w.now.Before(end); w.now = w.now.Add(time.Second) {
		for i := range all {
			c := &all[i]
			if c.tries < 0 || w.now.Before(c.at) {
				continue
			}
			status := 401
			if c.tries == 0 {
				status = 200
			}
			w.signIn(c.name, c.place, c.place, "browser 1", status)
			c.tries--
			c.at = w.now.Add(20 * time.Second)
			if c.tries == 0 {
				c.at = w.now.Add(time.Duration(2+w.rng.IntN(10)) * time.Minute)
			}
		}
	}
	w.quiet("a wave of resets")
}

// The customers of a carrier come from another of its addresses each time.
func TestCarrierGradeNAT(t *testing.T) {
	w := town(t)
	for range 6000 {
		w.now = w.now.Add(2 * time.Second)
		user := fmt.Sprintf("customer-%d", w.rng.IntN(3000))
		n := w.rng.IntN(64)
		address, network := fmt.Sprintf("cgnat-%d", n), fmt.Sprintf("cgnat-net-%d", n/8)
		if w.rng.IntN(8) == 0 {
			w.signIn(user, address, network, "phone", 401)
		}
		w.signIn(user, address, network, "phone", 200)
	}
	w.quiet("a carrier")
}

// campaign plays a stolen list until it is found, and says after how many
// attempts. Meanwhile the town goes on signing in, and is let alone.
type campaign struct {
	every   time.Duration
	from    func(i int) (address, network string)
	user    func(i int) string
	device  string
	success int // one in so many
	limit   int
}

func (w *world) stuff(t *testing.T, c campaign) (attempts int, e *Evidence) {
	t.Helper()
	people := 0
	next := w.now
	for i := range c.limit {
		w.now = w.now.Add(c.every)
		for ; next.Before(w.now); next = next.Add(20 * time.Second) {
			p := people % 300
			people++
			if ex := w.signIn(fmt.Sprintf("office-1-%d", p), "office-1", "office-1", "browser 1", 200); ex.Assessment.Anomalous {
				t.Fatalf("attempt %d: who signs in where he always does is stopped", i)
			}
		}
		address, network := c.from(i)
		status := 401
		if c.success > 0 && i%c.success == c.success-1 {
			status = 200
		}
		ex := w.signIn(c.user(i), address, network, c.device, status)
		if e := find(ex, Stuffing); e != nil && ex.Assessment.Anomalous {
			return i + 1, e
		}
	}
	t.Fatalf("%d attempts of a stolen list passed", c.limit)
	return 0, nil
}

func leaked(i int) string { return fmt.Sprintf("leaked-%d", i) }

func TestStuffing(t *testing.T) {
	f := func(name string, c campaign, most int, within time.Duration, entity profile.Kind) {
		t.Helper()
		w := town(t)
		start := w.now
		n, e := w.stuff(t, c)
		took := w.now.Sub(start)
		t.Logf("%s: found at attempt %d after %v: %s (%.1f), of the %v", name, n, took.Round(time.Second), e.Summary(), e.Score, e.Entity)
		if n > most && took > within {
			t.Errorf("%s: found at attempt %d after %v, want %d or %v", name, n, took, most, within)
		}
		if entity != profile.KindNone && e.Entity != entity {
			t.Errorf("%s: told of the %v, want the %v", name, e.Entity, entity)
		}
	}
	one := func(int) (string, string) { return "villain", "villain-net" }
	many := func(i int) (string, string) {
		i = i * 4 / 5 % 940 // 1.25 tries each
		return fmt.Sprintf("bot-%d", i), fmt.Sprintf("bot-net-%d", i)
	}
	f("a burst from one address", campaign{20 * time.Millisecond, one, leaked, "bot", 100, 1000}, 30, time.Second, 0)
	f("one a minute", campaign{time.Minute, one, leaked, "browser 2", 100, 100}, 30, 0, profile.KindAddress)
	f("940 addresses in five minutes", campaign{255 * time.Millisecond, many, leaked, "browser 2", 200, 1175}, 200, 5*time.Minute, 0)
	f("940 addresses in five minutes, each a device", campaign{255 * time.Millisecond, many, leaked, "", 200, 1175}, 200, 5*time.Minute, profile.KindLogin)
	f("940 addresses in an hour", campaign{3 * time.Second, many, leaked, "", 200, 1175}, 200, 0, profile.KindLogin)
	f("three passwords on ten thousand", campaign{time.Second, func(i int) (string, string) {
		return fmt.Sprintf("proxy-%d", i%20), fmt.Sprintf("proxy-net-%d", i%20)
	}, func(i int) string { return fmt.Sprintf("user-%d", i%10_000) }, "browser 2", 100, 30_000}, 200, 5*time.Minute, 0)
	// The people of the office are on the list, too.
	f("known names", campaign{255 * time.Millisecond, many, func(i int) string { return fmt.Sprintf("office-1-%d", i%300) }, "browser 2", 200, 1175}, 200, 5*time.Minute, 0)
}

// Who has accounts of his own does not hide many failures behind them.
func TestOwnAccountsBuyNoFailures(t *testing.T) {
	w := town(t)
	found := false
	for i := range 600 {
		w.now = w.now.Add(500 * time.Millisecond)
		address := fmt.Sprintf("bot-%d", i)
		w.signIn(fmt.Sprintf("mine-%d", i%5), address, address, "bot", 200)
		found = found || w.signIn(leaked(i), address, address, "bot", 401).Assessment.Anomalous
	}
	if !found {
		t.Error("as many successes of five users as failures of 600 hide these")
	}
}

// Nothing else is odd because a list is being tried.
func TestStuffingStopsNothingElse(t *testing.T) {
	w := town(t)
	w.stuff(t, campaign{20 * time.Millisecond, func(int) (string, string) { return "office-2", "office-2" }, leaked, "browser 1", 0, 1000})
	if ex := w.do(call{caller: "office-2", address: "office-2", network: "office-2", device: "browser 1", path: "/v1/orders"}); find(ex, Stuffing) != nil {
		t.Error("another request from there is called stuffing")
	}
	if ex := w.signIn("office-2-7", "office-2", "office-2", "browser 1", 200); ex.Assessment.Anomalous {
		t.Error("a colleague behind the same address is stopped")
	}
	ex := w.begin(call{method: "POST", path: "/v1/login", user: "x", address: "office-2", network: "office-2", device: "browser 1"})
	w.scorer.Complete(ex, Refused, w.now)
	if !ex.Assessment.Anomalous {
		t.Error("the list goes on")
	}
}

// Names that were never let in have no profile; who is let in has one.
func TestUsersHaveProfilesOnceTheyAreLetIn(t *testing.T) {
	w := newWorld(t)
	has := func(user string) bool {
		_, pin, ok := w.store.Find(keyOf(profile.KindUser, user))
		if ok {
			pin.Release()
		}
		return ok
	}
	w.signIn("bob", "home", "home", "laptop", 401)
	w.signIn("bob", "home", "home", "laptop", 500)
	if has("bob") {
		t.Error("a name that was refused has a profile")
	}
	w.signIn("bob", "home", "home", "laptop", 200)
	before := w.record(profile.KindUser, "bob")
	if before.Accepted != 1 || before.InFlight != 0 || before.Requests != 1 {
		t.Errorf("let in once: %+v", before.Header)
	}
	w.now = w.now.Add(time.Minute)
	w.signIn("bob", "villain", "villain", "bot", 401)
	w.signIn("bob", "villain", "villain", "bot", 400)
	after := w.record(profile.KindUser, "bob")
	if after.Accepted != 1 || after.InFlight != 0 || after.Requests != 1 || after.Rings.Errors10m != before.Rings.Errors10m {
		t.Errorf("somebody tried the name in vain: %+v", after.Header)
	}
	w.signIn("bob", "home", "home", "laptop", 200)
	if again := w.record(profile.KindUser, "bob"); again.Accepted != 2 || again.InFlight != 0 || again.Requests != 2 {
		t.Errorf("let in twice: %+v", again.Header)
	}
}

// After a restart pairs are forgotten; profiles know who comes from where.
func TestPairsOutliveARestartInProfiles(t *testing.T) {
	w := town(t)
	w.scorer = New(Config{Store: w.store, Routes: w.routes})
	ex := w.begin(call{method: "POST", path: "/v1/login", user: "home-3", address: "home", network: "home", device: "browser 1"})
	if !ex.scratch.attempt.familiar {
		t.Error("a user of a week is a newcomer")
	}
	w.scorer.Complete(ex, Unknown, w.now)
}

func TestAttemptsAreJudgedOnce(t *testing.T) {
	w := newWorld(t)
	c := call{method: "POST", path: "/v1/login", user: "bob", address: "home", network: "home", device: "laptop"}
	ex := w.begin(c)
	w.scorer.Attempt(ex)
	ex.Status = 200
	w.scorer.Complete(ex, Answered, w.now)
	w.scorer.Attempt(ex)
	w.scorer.Complete(ex, Answered, w.now)
	rec := w.record(profile.KindAddress, "home")
	if n := rec.Crowd().SignIns.Attempts; n[0]+n[1]+n[2] != 1 {
		t.Errorf("counted as %v", n)
	}
	w.scorer.Attempt(&Exchange{})
	w.scorer.Complete(&Exchange{}, Answered, w.now)
}

func TestPairsAreBounded(t *testing.T) {
	p := &pairs{}
	now := seconds(monday)
	for i := range uint64(300_000) {
		p.add(pairOf(profile.Key{Hi: i}, profile.Key{Lo: 1}), now+uint32(i))
	}
	if ago, ok := p.since(pairOf(profile.Key{Hi: 299_999}, profile.Key{Lo: 1}), now+299_999+3*minute); !ok || ago != 3 {
		t.Errorf("the latest success was %d minutes ago (%v)", ago, ok)
	}
	kept := 0
	for i := range uint64(300_000) {
		if _, ok := p.since(pairOf(profile.Key{Hi: i}, profile.Key{Lo: 1}), now); ok {
			kept++
		}
	}
	if kept < 60_000 || kept > 65_600 {
		t.Errorf("%d are kept", kept)
	}
}

func TestAttemptAllocatesNothing(t *testing.T) {
	w := town(t)
	ex := &Exchange{}
	c := call{method: "POST", path: "/v1/login", caller: "office-1", address: "office-1", network: "office-1", device: "browser 1"}
	c.fill(ex, w.now)
	w.scorer.Begin(ex)
	w.scorer.Complete(ex, Unknown, w.now)
	for i, status := range []int{200, 401} {
		n := testing.AllocsPerRun(200, func() {
			ex.Entities[profile.KindUser] = Identity{}
			w.scorer.Begin(ex)
			ex.SignIn = SignIn{User: keyOf(profile.KindUser, "office-1-1"), Success: Statuses{100, 399}}
			if i == 1 {
				ex.SignIn.User = keyOf(profile.KindUser, "stranger")
			}
			w.scorer.Attempt(ex)
			ex.Status, ex.ResponseBytes = status, 40
			w.scorer.Answer(ex, w.now)
			w.scorer.Complete(ex, Answered, w.now)
		})
		if n > 2 { // keyOf makes two strings
			t.Errorf("status %d: %v allocations", status, n)
		}
	}
}
