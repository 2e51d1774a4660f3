package scoring

import (
	"fmt"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// office is a world in which acme has worked for a week and it is Monday, ten
// o'clock.
func office(t *testing.T, country string) (*world, call) {
	w := newWorld(t)
	w.country = country
	acme := &customer{name: "acme"}
	w.days(7, acme, &customer{name: "brix"})
	if w.anomalous != 0 {
		t.Fatalf("%d of %d benign exchanges are anomalous", w.anomalous, w.exchanges)
	}
	w.now = w.now.Add(10 * time.Hour)
	return w, acme.base()
}

// Somebody tries what a route takes, and little of it works.
func TestProbing(t *testing.T) {
	w, c := office(t, "")
	c.status, c.bytes = 404, 50
	for i := range 40 {
		w.now = w.now.Add(2 * time.Second)
		c.path = fmt.Sprint("/v1/search?sort=", i)
		ex := w.begin(c)
		ex.Status = c.status
		w.scorer.Answer(ex, w.now) // an error tells of itself
		e := find(ex, Errors)
		if e != nil && e.Observed < float64(i) {
			t.Errorf("error %d counts as %v", i+1, e.Observed)
		}
		w.scorer.Complete(ex, Answered, w.now)
		if !ex.Assessment.Anomalous {
			continue
		}
		tell(t, ex)
		if e == nil || i < 10 || e.Entity == profile.KindAddress {
			t.Errorf("anomalous at error %d for another reason", i+1)
		}
		// The request that follows shows it, whatever its answer will be.
		c.path = "/v1/orders"
		if ex := w.begin(c); find(ex, Errors) == nil || !ex.Assessment.Anomalous {
			t.Error("the next request shows no errors")
		}
		return
	}
	t.Error("forty misses in a minute passed")
}

// An upstream that is down, one that is overloaded and our own denials are
// nobody's doing.
func TestOutageAlarmsNobody(t *testing.T) {
	f := func(change func(*call)) {
		t.Helper()
		w, c := office(t, "")
		c.path = "/v1/orders"
		change(&c)
		for range 150 {
			w.now = w.now.Add(10 * time.Second)
			ex := w.do(c)
			if e := find(ex, Errors); ex.Assessment.Anomalous || e != nil && (c.end == Refused || e.Score > 3.01) {
				t.Fatalf("status %d: score %.1f, %+v", c.status, ex.Assessment.Score, e)
			}
		}
	}
	f(func(c *call) { c.status = 503 })
	f(func(c *call) { c.status = 429 })
	f(func(c *call) { c.status, c.end = 404, Refused })
}

// A client that always asks in vain for one thing in ten is used to it, all day
// and in a busy hour.
func TestHabitualErrorsAreQuiet(t *testing.T) {
	w := newWorld(t)
	for day := range 14 {
		for h := 8; h < 18; h++ {
			w.now = monday.Add(time.Duration(24*day+h) * time.Hour)
			for range 150 {
				w.now = w.now.Add(time.Duration(w.rng.IntN(30)) * time.Second)
				c := call{caller: "poll", address: "poll", path: "/v1/jobs/7", bytes: 90, records: 1}
				if w.rng.IntN(10) == 0 {
					c.status = 404
				}
				w.do(c)
			}
		}
	}
	if r := w.record(profile.KindCaller, "poll"); w.anomalous != 0 || r.Baseline.Errors10m.Mean < 1 {
		t.Errorf("%d of %d exchanges are anomalous; %.1f errors are usual", w.anomalous, w.exchanges, r.Baseline.Errors10m.Mean)
	}
}

// Forged credentials: what the upstream refuses is no error of the caller it
// was forged for, but one of where it came from; and who shares that address is
// not alarmed about.
func TestForgedCredentialsFailWhereTheyComeFrom(t *testing.T) {
	w, c := office(t, "")
	c.path, c.bytes, c.records = "/v1/orders", 1900, 10
	w.do(c)
	before := w.record(profile.KindCaller, "acme")
	forged := call{caller: "acme", credential: "acme", address: "brix", network: "brix", device: "brix desk", path: "/v1/orders", status: 401}
	var ex *Exchange
	for range 300 {
		w.now = w.now.Add(100 * time.Millisecond)
		if ex = w.do(forged); ex.Assessment.Anomalous && find(ex, Errors) != nil && find(ex, Errors).Score >= ex.Assessment.Threshold {
			t.Fatalf("errors alarm: %+v", ex.Assessment)
		}
	}
	if e := find(ex, Errors); e == nil || habitual(e.Entity) {
		t.Errorf("three hundred refusals left %+v", e)
	}
	after, address := w.record(profile.KindCaller, "acme"), w.record(profile.KindAddress, "brix")
	if lessons(after) != lessons(before) || window.Sum(after.Rings.Errors10m[:]) != 0 {
		t.Error("the victim's record has changed")
	}
	if n := window.Sum(address.Rings.Errors10m[:]); n != 300 {
		t.Errorf("%v errors from the address, want 300", n)
	}
	neighbour := call{caller: "brix", address: "brix", network: "brix", device: "brix desk", path: "/v1/orders", bytes: 1900, records: 10}
	if ex := w.do(neighbour); ex.Assessment.Anomalous {
		t.Errorf("who shares the address is anomalous: score %.1f", ex.Assessment.Score)
	}
	if ex := w.do(c); ex.Assessment.Anomalous || find(ex, Errors) != nil {
		t.Errorf("the victim is anomalous: score %.1f", ex.Assessment.Score)
	}
}

func TestCountry(t *testing.T) {
	w, c := office(t, "")
	c.path = "/v1/orders"
	if ex := w.begin(c); ex.scratch.findings.ran(Country) {
		t.Error("asked about a country that nobody told")
	}
	c.country = "fr"
	if ex := w.begin(c); ex.scratch.findings.ran(Country) {
		t.Error("asked about the first country of all")
	}
	w, c = office(t, "de")
	c.path, c.country = "/v1/orders", "DE"
	if ex := w.begin(c); !ex.scratch.findings.ran(Country) || find(ex, Country) != nil {
		t.Errorf("at home: %+v", find(ex, Country))
	}
	c.country = "fr"
	if ex := w.begin(c); find(ex, Country) == nil || find(ex, Takeover) != nil || ex.Assessment.Anomalous {
		t.Errorf("abroad behind a known network: %+v, score %.1f", find(ex, Country), ex.Assessment.Score)
	}
	// A traveller: own device, at work. A thief: another device as well.
	c.network = "hotel"
	if ex := w.begin(c); find(ex, Takeover) != nil || ex.Assessment.Anomalous {
		t.Errorf("a traveller: score %.1f", ex.Assessment.Score)
	}
	c.device = "curl"
	abroad := w.begin(c)
	c.country = "de"
	home := w.begin(c)
	if a, h := find(abroad, Takeover), find(home, Takeover); a == nil || h == nil || a.Bits <= h.Bits || a.Observed != 3 || a.Unit != "device, network and country" {
		t.Errorf("a thief abroad: %+v; at home: %+v", a, h)
	}
}

// A reader that deletes, or asks an old version, is told about; it alarms nobody
// by that alone, and what the upstream does not have stays new.
func TestMethodAndVersion(t *testing.T) {
	f := func(d Detector, change func(*call)) {
		t.Helper()
		w, c := office(t, "")
		c.path, c.records, c.bytes = "/v1/orders", 10, 1900
		if ex := w.do(c); find(ex, d) != nil || !ex.scratch.findings.ran(d) {
			t.Errorf("%v: as ever: %+v", d, find(ex, d))
		}
		change(&c)
		c.status = 405
		var first *Evidence
		for range 5 {
			w.now = w.now.Add(time.Hour)
			ex := w.do(c)
			e := find(ex, d)
			if e == nil || e.Score < 1.5 || ex.Assessment.Anomalous {
				t.Fatalf("%v: %+v, score %.1f", d, e, ex.Assessment.Score)
			}
			if first == nil {
				first = e
				t.Log(e.Summary())
			} else if e.Observed != first.Observed {
				t.Errorf("%v: a refusal taught %v", d, e.Observed)
			}
		}
		c.status = 200
		for range 3 { // in three sessions it becomes something known
			w.now = w.now.Add(time.Hour)
			for range 20 {
				w.do(c)
			}
		}
		e := find(w.do(c), d)
		if e != nil && (e.Observed == 0 || e.Score >= first.Score) {
			t.Errorf("%v: after three sessions: %+v", d, e)
		}
	}
	f(Method, func(c *call) { c.method, c.records = "DELETE", 0 })
	f(Version, func(c *call) { c.path = "/v0/orders" })
}

// The requests of one session draw once, however many they are.
func TestMethodsDrawOnceASession(t *testing.T) {
	w := newWorld(t)
	for range 300 {
		w.do(call{caller: "acme", path: "/v1/orders", bytes: 10, records: 1})
		w.do(call{caller: "acme", method: "POST", path: "/v2/orders", bytes: 10, records: 1})
		w.now = w.now.Add(time.Second)
	}
	h := w.record(profile.KindCaller, "acme")
	if m, v := h.Habits().Methods, window.SmallSlots(h.Habits().Versions[:]); m[0] != 1 || m[2] != 1 || v.Total() < 1.9 || v.Total() > 2.1 {
		t.Errorf("methods %v, versions %v", m, v)
	}
	for range 600 {
		w.now = w.now.Add(time.Hour)
		w.do(call{caller: "acme", path: "/v1/orders", bytes: 10, records: 1})
	}
	h = w.record(profile.KindCaller, "acme")
	if m := h.Habits().Methods; m[0] < 127 || m[2] != 0 {
		t.Errorf("after 600 sessions: methods %v", m)
	}
}

// The score pays for the questions that were asked, and for no others.
func TestOnlyWhatCouldSpeakCounts(t *testing.T) {
	w, c := office(t, "")
	f := func(path string, want ...Detector) {
		t.Helper()
		c.path = path
		ex := w.begin(c)
		asked := map[Detector]bool{}
		for _, d := range want {
			asked[d] = true
		}
		for d := range Detectors {
			if got := ex.scratch.findings.ran(Detector(d)); got != asked[Detector(d)] {
				t.Errorf("%s: %v asked: %v", path, Detector(d), got)
			}
		}
		if ex.scratch.findings.surprises.Questions != len(want) {
			t.Errorf("%s: k = %d, want %d", path, ex.scratch.findings.surprises.Questions, len(want))
		}
	}
	f("/orders", Rate, Device, Network, Hour, Method, Takeover, Recon)
	f("/v1/orders", Rate, Device, Network, Hour, Method, Takeover, Version)
	f("/v1/orders/17", Rate, Device, Network, Hour, Method, Takeover, Version, NewObjects, Enumeration)
	c.companion = "x"
	f("/orders", Rate, Device, Network, Hour, Method, Takeover, Recon, Companion)
}

// After an idle gap of any length a caller goes on as before: nothing is left of
// what was counted, and nothing of what was learned is surprising.
func TestIdleGaps(t *testing.T) {
	for _, gap := range []time.Duration{time.Minute, 31 * time.Minute, 2 * time.Hour, 26 * time.Hour, 7 * 24 * time.Hour, 400 * 24 * time.Hour, 30 * 365 * 24 * time.Hour} {
		w, c := office(t, "de")
		c.path, c.bytes, c.records = "/v1/orders?limit=10", 1900, 10
		w.do(c)
		w.now = w.now.Add(gap)
		ex := w.do(c)
		sound(t, ex)
		for i := range ex.Assessment.Evidence {
			if e := &ex.Assessment.Evidence[i]; e.Detector != Hour && e.Score > 1.5 {
				t.Errorf("after %v: %s", gap, e.Summary())
			}
		}
		if ex.Assessment.Anomalous {
			t.Errorf("after %v: score %.1f", gap, ex.Assessment.Score)
		}
		r := w.record(profile.KindCaller, "acme")
		if gap >= 2*time.Hour && (window.Sum(r.Rings.Requests10m[:]) != 1 || sumValues(r.HabitRings.Bytes10m[:]) != 1900) {
			t.Errorf("after %v: %+v", gap, r.Rings)
		}
	}
}
