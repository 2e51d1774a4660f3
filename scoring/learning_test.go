package scoring

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// counters are what a request leaves in the rings.
func counters(r *profile.Record) string {
	return fmt.Sprint(r.InFlight, r.Requests, window.Sum(r.Rings.Requests10s[:]), window.Sum(r.Rings.Requests1m[:]),
		window.Sum(r.Rings.Requests10m[:]), window.Sum(r.HabitRings.New1m[:]), window.Sum(r.HabitRings.New10m[:]), window.Sum(r.HabitRings.Companions10m[:]))
}

// lessons are what a record has learned, whatever the rings say.
func lessons(r profile.Record) profile.Record {
	r.Rings, r.HabitRings = profile.Rings{Hour: r.Rings.Hour, Precedents: r.Rings.Precedents}, profile.HabitRings{}
	r.LastSeen, r.Requests, r.InFlight = 0, 0, 0
	return r
}

// What was not accepted leaves no trace, in the rings or in the habits, even
// where it ends after its buckets have closed.
func TestRefusedLeavesNoTrace(t *testing.T) {
	f := func(name string, change func(*call)) {
		t.Helper()
		w := newWorld(t)
		acme := &customer{name: "acme"}
		w.days(2, acme)
		w.now = w.now.Add(9*time.Hour + 5*time.Minute)
		c := acme.base()
		c.path, c.bytes, c.records = "/v1/orders?limit=10", 1900, 10
		w.do(c)
		w.now = w.now.Add(time.Second)
		before := w.record(profile.KindCaller, "acme")
		for i := range 20 {
			c := acme.base()
			c.path, c.device, c.network, c.companion = fmt.Sprintf("/v1/orders/%d", 9000+i), "x", "x", "y"
			c.bytes, c.records = 1<<30, 1<<20
			change(&c)
			w.do(c)
		}
		after := w.record(profile.KindCaller, "acme")
		if lessons(after) != lessons(before) {
			t.Errorf("%s: it taught something", name)
		}
		if got, want := counters(&after), counters(&before); got != want {
			t.Errorf("%s: counters %s, want %s", name, got, want)
		}
	}
	f("401", func(c *call) { c.status = 401 })
	f("403", func(c *call) { c.status = 403 })
	f("refused", func(c *call) { c.end = Refused })
}

// Requests that are held open for an hour and refused then do not become part
// of what is usual when their buckets close.
func TestHeldOpenTeachesNothing(t *testing.T) {
	w := newWorld(t)
	c := call{caller: "acme", path: "/v1/orders"}
	for range 30 {
		w.now = w.now.Add(time.Minute)
		w.do(c)
	}
	var held []*Exchange
	for range 500 {
		held = append(held, w.begin(c))
	}
	for range 90 {
		w.now = w.now.Add(time.Minute)
		w.do(c)
	}
	for _, ex := range held {
		w.scorer.Complete(ex, Unknown, w.now)
	}
	r := w.record(profile.KindCaller, "acme")
	if r.Baseline.Requests1m.Mean != 1 || r.Baseline.Requests10m.Mean > 10 || r.Baseline.Requests1h.Mean > 60 || r.InFlight != 0 {
		t.Errorf("%+v, %d in flight", r.Baseline, r.InFlight)
	}
}

// A stream that breaks off stays counted and teaches nothing: who hangs up
// before the answer has still asked.
func TestBrokenOff(t *testing.T) {
	w := newWorld(t)
	c := call{caller: "acme", path: "/v1/orders/1", bytes: 100, records: 1}
	w.do(c)
	before := w.record(profile.KindCaller, "acme")
	ex := w.begin(c)
	w.scorer.Complete(ex, Unknown, w.now)
	if after := w.record(profile.KindCaller, "acme"); after.Requests != 2 || lessons(after) != lessons(before) {
		t.Errorf("no answer: %+v", after.Header)
	}
	ex = w.begin(c)
	ex.Status, ex.ResponseBytes = 200, 5000
	w.scorer.Complete(ex, Unknown, w.now)
	after := w.record(profile.KindCaller, "acme")
	if after.Accepted != 2 || after.Requests != 3 || after.Bytes.Y != before.Bytes.Y || sumValues(after.HabitRings.Bytes10m[:]) != 5100 {
		t.Errorf("after an answer: %+v", after.Header)
	}
}

// Aborted requests are a flood like any other.
func TestAbortedFloodIsSeen(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(5, acme)
	w.now = w.now.Add(10 * time.Hour)
	c := acme.base()
	c.path = "/v1/orders?limit=10"
	var ex *Exchange
	for range 200 {
		ex = w.begin(c)
		w.scorer.Complete(ex, Unknown, w.now)
	}
	if e := find(ex, Rate); e == nil || !ex.Assessment.Anomalous {
		t.Errorf("200 aborted requests score %.1f", ex.Assessment.Score)
	}
}

// Whoever knows a customer's name, and has neither its device nor its network,
// must not get the customer throttled by holding requests open.
func TestHeldOpenByStrangersStopsNobody(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(5, acme)
	w.now = w.now.Add(10 * time.Hour)
	c := acme.base()
	c.path, c.bytes, c.records = "/v1/orders?limit=10", 1900, 10
	w.do(c)
	before := w.record(profile.KindCaller, "acme")
	forged := call{caller: "acme", credential: "acme", address: "far", network: "far", device: "curl"}
	var held []*Exchange
	for i := range 400 {
		forged.path = fmt.Sprintf("/v1/orders/%d", 5000+i)
		held = append(held, w.begin(forged))
	}
	if after := w.record(profile.KindCaller, "acme"); after.Rings != before.Rings || after.HabitRings != before.HabitRings {
		t.Errorf("counters %s, want %s", counters(&after), counters(&before))
	}
	w.now = w.now.Add(10 * time.Second)
	if ex := w.do(c); ex.Assessment.Anomalous {
		t.Errorf("the owner scores %.1f: %s", ex.Assessment.Score, ex.Assessment.Evidence[0].Summary())
	}
	// What the upstream then accepts counts after all.
	for _, ex := range held {
		ex.Status, ex.ResponseBytes = 200, 100
		w.scorer.Complete(ex, Answered, w.now)
	}
	if after := w.record(profile.KindCaller, "acme"); window.Sum(after.Rings.Requests1m[:]) < 400 || window.Sum(after.HabitRings.New1m[:]) < 300 {
		t.Errorf("counters %s", counters(&after))
	}
}

// An answer that is an error, an upstream's or the proxy's own 503, credits
// nobody with anything.
func TestErrorsCreditNobody(t *testing.T) {
	w := newWorld(t)
	for _, status := range []int{400, 404, 407, 429, 500, 503} {
		for range 20 {
			w.now = w.now.Add(time.Minute)
			w.do(call{caller: "acme", network: "n", device: "d", path: "/v1/orders/1", status: status})
		}
	}
	r := w.record(profile.KindCaller, "acme")
	h := r.Habits()
	if r.Accepted != 0 || r.Sessions != 0 || h.Devices != [6]window.Slot{} || h.Networks != [8]window.Slot{} {
		t.Errorf("accepted %d, sessions %d, %+v", r.Accepted, r.Sessions, h.Devices)
	}
	if r.Requests != 120 || window.Sum(r.Rings.Errors10m[:]) == 0 {
		t.Errorf("counted %d requests, %s", r.Requests, counters(&r))
	}
}

func TestCompleteHappensOnce(t *testing.T) {
	w := newWorld(t)
	c := call{caller: "acme", path: "/v1/orders", bytes: 100, records: 1}
	ex := w.do(c)
	before := w.record(profile.KindCaller, "acme")
	w.scorer.Complete(ex, Answered, w.now)
	w.scorer.Complete(ex, Refused, w.now)
	w.scorer.Meter(ex, w.now)
	if after := w.record(profile.KindCaller, "acme"); after != before {
		t.Error("a second end changed the record")
	}
	var never Exchange
	w.scorer.Complete(&never, Answered, w.now)
	w.scorer.Answer(&never, w.now)
}

// A record that was evicted in between, or is another's, is left alone.
func TestForgottenInBetween(t *testing.T) {
	w := newWorld(t)
	c := call{caller: "acme", path: "/v1/orders"}
	ex := w.begin(c)
	w.store.Forget(keyOf(profile.KindCaller, "acme"))
	w.do(c) // a new incarnation
	before := w.record(profile.KindCaller, "acme")
	w.finish(ex, c)
	if after := w.record(profile.KindCaller, "acme"); after != before {
		t.Error("an exchange with the old record changed the new one")
	}
}

// Anomalous exchanges stay counted, but the buckets they are in are not learned.
func TestTaintedBucketsAreNotLearned(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(5, acme)
	w.now = w.now.Add(11 * time.Hour)
	c := acme.base()
	c.path, c.bytes, c.records = "/v1/orders?limit=10000", 2_000_000, 10_000
	w.scorer.Complete(w.begin(c), Unknown, w.now) // closes yesterday's buckets
	before := w.record(profile.KindCaller, "acme")
	if ex := w.do(c); !ex.Assessment.Anomalous {
		t.Fatalf("score %.1f", ex.Assessment.Score)
	}
	w.now = w.now.Add(2 * time.Hour)
	c.bytes, c.records = 1900, 10
	w.finish(w.begin(c), c)
	after := w.record(profile.KindCaller, "acme")
	if after.Baseline != before.Baseline || after.Habits().Hours != before.Habits().Hours {
		t.Error("the bucket with the dump was learned")
	}
	if after.Accepted != before.Accepted+2 || after.Flags&tainted != 0 {
		t.Errorf("accepted %d after %d, flags %x", after.Accepted, before.Accepted, after.Flags)
	}
}

// A frog that is boiled slowly, x1.1 a day, keeps inside what is usual; the slow
// mean follows by 5 % of a deviation a day and no faster.
func TestAnchorSpeedLimit(t *testing.T) {
	w := newWorld(t)
	c := call{caller: "acme", path: "/v1/orders?limit=10", records: 10, bytes: 1000}
	day := func(n int, size float64) {
		for range n {
			for h := range 10 {
				w.now = w.now.Truncate(24 * time.Hour).Add(time.Duration(8+h) * time.Hour)
				for range 5 {
					w.now = w.now.Add(time.Minute)
					c.records = int64(size)
					w.do(c)
				}
			}
			w.now = w.now.Truncate(24 * time.Hour).Add(24 * time.Hour)
		}
	}
	day(10, 10)
	first := w.record(profile.KindCaller, "acme")
	days, size := 30, 10.0
	for range days {
		size *= 1.1
		day(1, size)
	}
	last := w.record(profile.KindCaller, "acme")
	if moved := float64(last.Records.Anchor - first.Records.Anchor); moved > anchorSpeed*float64(days)*max(responseSpread(&last.Records.Y), responseSpread(&first.Records.Y), 0.5)+1e-6 {
		t.Errorf("the anchor moved by %.2f", moved)
	}
	if was, is := float64(first.Records.Spread), float64(last.Records.Spread); was == 0 || is > was*math.Pow(1+spreadSpeed, float64(days+1)) {
		t.Errorf("the slow spread went from %.3f to %.3f", was, is)
	}
	if last.Records.Y.Mean <= last.Records.Anchor {
		t.Errorf("the fast mean %.2f did not outrun the anchor %.2f", last.Records.Y.Mean, last.Records.Anchor)
	}
	if first.Records.Anchor == 0 && first.Anchors == [6]float32{} {
		t.Error("no anchor was dropped")
	}
}

// Time that stands, steps back, jumps by months or lies before 1970 breaks
// nothing, and nobody's clock steps back.
func TestTimeGoesWrong(t *testing.T) {
	w := newWorld(t)
	c := full(1)
	last := uint32(0)
	for _, d := range []time.Duration{0, 0, -time.Hour, 90 * 24 * time.Hour, -24 * time.Hour, time.Second, 20 * 365 * 24 * time.Hour, 90 * 365 * 24 * time.Hour} {
		w.now = w.now.Add(d)
		ex := w.begin(c)
		w.now = w.now.Add(-time.Minute)
		w.finish(ex, c)
		r := w.record(profile.KindCaller, c.caller)
		if r.LastSeen < last || r.InFlight != 0 {
			t.Errorf("after %v: last seen %d after %d, %d in flight", d, r.LastSeen, last, r.InFlight)
		}
		last = r.LastSeen
		sound(t, ex)
	}
	w.now = time.Unix(-5, 0)
	sound(t, w.do(c))
	w.now = time.Time{}
	sound(t, w.do(c))
}

// A hundred thousand requests in a minute saturate every counter.
func TestSaturation(t *testing.T) {
	w := newWorld(t)
	c := call{caller: "acme", path: "/v1/orders/1", bytes: 1 << 62, records: 1 << 62}
	for i := range 140_000 {
		w.now = monday.Add(time.Duration(i) * 400 * time.Microsecond)
		c.path = fmt.Sprintf("/v1/orders/%d", i)
		ex := w.begin(c)
		if i%2 == 0 {
			w.finish(ex, c)
		}
	}
	ex := w.do(c)
	sound(t, ex)
	w.now = w.now.Add(time.Hour)
	sound(t, w.do(c))
}

// Many goroutines, few records: the race detector watches, and no request is
// lost or counted twice.
func TestConcurrentExchanges(t *testing.T) {
	w := newWorld(t)
	const goroutines, rounds = 8, 400
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			ex := &Exchange{}
			for i := range rounds {
				c := full(i % 3)
				c.fill(ex, monday.Add(time.Duration(g+i)*time.Second))
				w.scorer.Begin(ex)
				ex.Status, ex.ResponseBytes, ex.Records = 200, 100, 1
				w.scorer.Answer(ex, ex.Time)
				end := Answered
				if i%4 == 0 {
					end = Refused
				}
				w.scorer.Complete(ex, end, ex.Time)
				w.scorer.Complete(ex, end, ex.Time)
			}
		})
	}
	wg.Wait()
	total := uint32(0)
	for i := range 3 {
		r := w.record(profile.KindCaller, fmt.Sprint("caller ", i))
		if r.InFlight != 0 || r.Requests != r.Accepted {
			t.Errorf("%d in flight, %d requests, %d accepted", r.InFlight, r.Requests, r.Accepted)
		}
		total += r.Accepted
	}
	if want := uint32(goroutines * rounds * 3 / 4); total != want {
		t.Errorf("%d exchanges were accepted, want %d", total, want)
	}
}

// What the upstream did not serve is counted as a request, and neither as an
// object that was had nor as a place that was come from: a program that retries
// while the upstream is down walks and wanders no more than before.
func TestNothingIsHadOfAnUpstreamThatIsDown(t *testing.T) {
	for _, c := range []struct {
		status int
		had    bool
	}{{200, true}, {404, true}, {429, false}, {500, false}, {503, false}} {
		w := newWorld(t)
		for i := range 40 {
			w.now = w.now.Add(time.Second)
			w.do(call{caller: "a", network: fmt.Sprintf("n%d", i%2), path: fmt.Sprintf("/v1/orders/%d", 1000+i), status: c.status, bytes: 100, records: -1})
		}
		rec := w.record(profile.KindCaller, "a")
		h := rec.Habits()
		if rec.Requests != 40 {
			t.Errorf("%d: %d requests", c.status, rec.Requests)
		}
		objects := window.Sum(rec.HabitRings.New10m[:])
		switches := window.Sum(rec.HabitRings.Switches10m[:])
		walked := float64(h.Walk.AdjacentNow.N)
		if had := objects > 0 && switches > 0 && walked > 0; had != c.had || !c.had && objects+switches+walked > 0 {
			t.Errorf("%d: %v new objects, %v switches, %v of a walk", c.status, objects, switches, walked)
		}
		if learned := rec.Open[1]; (learned > 0) != c.had {
			t.Errorf("%d: %d requests of ten minutes are to be learned", c.status, learned)
		}
	}
}
