package scoring

import (
	"fmt"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// Somebody guesses routes, one in two and a half of which is there.
func TestRecon(t *testing.T) {
	w, c := office(t, "")
	for i := range 30 {
		o := call{caller: "brix", address: "brix", network: "brix", device: "brix desk", path: "/v1/known" + word(i), bytes: 90, records: -1}
		w.now = w.now.Add(time.Minute)
		w.do(o)
	}
	at := w.alarmAt(60, 2*time.Second, Recon, func(i int) call {
		k := c
		k.path, k.status, k.bytes = "/v1/known"+word(i), 200, 90
		if i%5 > 1 {
			k.path, k.status = "/v1/guess"+word(i), 404
		}
		return k
	})
	if at < 8 || at > 30 {
		t.Errorf("anomalous at %d", at)
	}
	if r := w.record(profile.KindAddress, "acme"); r.Tried.Routes.Estimate() < 5 {
		t.Error("the address has tried nothing")
	}
}

func word(i int) string { return string([]byte{byte('a' + i/26), byte('a' + i%26)}) }

// A broken client that repeats itself, an old client after a release that took
// three routes away, and the release's new routes tell of no search.
func TestNoRecon(t *testing.T) {
	f := func(what string, n int, next func(i int, c *call)) {
		t.Helper()
		w, c := office(t, "")
		for i := range n {
			w.now = w.now.Add(3 * time.Second)
			k := c
			k.bytes, k.records = 90, -1
			next(i, &k)
			ex := w.do(k)
			if e := find(ex, Recon); e != nil && e.Score > 3 {
				t.Fatalf("%s: %s (%.1f)", what, e.Summary(), e.Score)
			}
		}
	}
	f("a retry storm", 300, func(i int, c *call) { c.path, c.status = "/v1/lost", 404 })
	f("an old client", 60, func(i int, c *call) { c.path, c.status = fmt.Sprint("/v1/old", word(i%3)), 410 })
	f("a release", 60, func(i int, c *call) { c.path = fmt.Sprint("/v2/new", word(i)) })
	f("an overload", 60, func(i int, c *call) { c.path, c.status = fmt.Sprint("/v1/any", word(i)), 429 })
	f("an outage", 60, func(i int, c *call) { c.path, c.status = fmt.Sprint("/v1/any", word(i)), 503 })
	f("refusals", 60, func(i int, c *call) { c.path, c.status = fmt.Sprint("/v1/any", word(i)), 403 })
}

// What is tried behind a NAT is evidence about it and alarms nobody there.
func TestReconBehindANAT(t *testing.T) {
	w, c := office(t, "")
	for i := range 60 {
		w.now = w.now.Add(time.Second)
		w.do(call{address: "acme", network: "acme", path: "/v1/guess" + word(i), status: 404})
	}
	c.path, c.bytes, c.records = "/v1/orders?limit=10", 1900, 10
	if ex := w.do(c); ex.Assessment.Anomalous {
		tell(t, ex)
		t.Error("a neighbour is anomalous")
	}
	r := w.record(profile.KindAddress, "acme")
	if r.Tried.Routes.Estimate() < 40 {
		t.Errorf("%v routes", r.Tried.Routes.Estimate())
	}
}

// An anomalous ten minutes teaches nothing; who always tries in vain is used to it.
func TestReconIsNotLearned(t *testing.T) {
	w, c := office(t, "")
	before := w.record(profile.KindCaller, "acme").Tried.Usual
	w.alarmAt(60, time.Second, Recon, func(i int) call {
		k := c
		k.path, k.status, k.bytes = "/v1/guess"+word(i), 404, 50
		return k
	})
	w.now = w.now.Add(time.Hour)
	c.path, c.bytes, c.records = "/v1/orders?limit=10", 1900, 10
	w.do(c)
	if after := w.record(profile.KindCaller, "acme").Tried; after.Usual.Sum > before.Sum || after.Routes.Estimate() != 0 {
		t.Errorf("usual %+v, was %+v", after, before)
	}
}
