package scoring

import (
	"fmt"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// alarmAt plays the calls, one every pause, and returns at which of them it was
// anomalous first, from 1 on, with d the first reason; 0: at none.
func (w *world) alarmAt(n int, pause time.Duration, d Detector, next func(i int) call) int {
	w.t.Helper()
	for i := range n {
		w.now = w.now.Add(pause)
		ex := w.do(next(i))
		if !ex.Assessment.Anomalous {
			continue
		}
		tell(w.t, ex)
		if ex.Assessment.Evidence[0].Detector != d {
			w.t.Errorf("anomalous at %d for another reason", i+1)
		}
		return i + 1
	}
	return 0
}

// A session that was copied is used by turns with its owner.
func TestReplay(t *testing.T) {
	w, c := office(t, "de")
	c.path, c.bytes, c.records = "/v1/orders?limit=10", 1900, 10
	if at := w.alarmAt(60, 4*time.Second, Replay, func(i int) call {
		k := c
		if i%2 == 1 {
			k.device = "acme telephone"
		}
		return k
	}); at < 6 || at > 30 {
		t.Errorf("anomalous at %d", at)
	}
}

// A key that goes through rotating proxies does not return.
func TestRotatingProxies(t *testing.T) {
	w, c := office(t, "")
	c.path, c.bytes, c.records = "/v1/orders?limit=10", 1900, 10
	if at := w.alarmAt(80, 4*time.Second, Switches, func(i int) call {
		k := c
		k.network = fmt.Sprint("way out ", i)
		return k
	}); at < 4 || at > 40 {
		t.Errorf("anomalous at %d", at)
	}
}

// Who picks up the telephone beside the laptop a few times, who moves through
// networks in a train, and who has always worked in two places at once, is none.
func TestChangesOfContextAreQuiet(t *testing.T) {
	w, c := office(t, "de")
	c.path, c.bytes, c.records = "/v1/orders?limit=10", 1900, 10
	quiet := func(what string, ex *Exchange) {
		t.Helper()
		if ex.Assessment.Anomalous {
			tell(t, ex)
			t.Fatalf("%s is anomalous", what)
		}
	}
	for i := range 24 { // six requests here, six there
		w.now = w.now.Add(20 * time.Second)
		k := c
		if i/6%2 == 1 {
			k.device = "acme telephone"
		}
		quiet("a telephone", w.do(k))
	}
	w.now = w.now.Add(time.Hour)
	for i := range 20 {
		w.now = w.now.Add(90 * time.Second)
		k := c
		k.network = fmt.Sprint("cell ", i/5)
		quiet("a train", w.do(k))
	}

	w = newWorld(t)
	for i := range 14 * 24 * 20 { // a robot of two machines
		w.now = w.now.Add(3 * time.Minute)
		for range 4 {
			w.now = w.now.Add(time.Second)
			k := call{caller: "robot", network: fmt.Sprint("net ", w.rng.IntN(2)), device: "robot", path: "/v1/orders", bytes: 1900, records: 10}
			if ex := w.do(k); i > 3*24*20 {
				quiet("a robot of two machines", ex)
			}
		}
	}
}

// Contexts of requests that the upstream refused are nobody's.
func TestForgedContextsCountForNothing(t *testing.T) {
	w, c := office(t, "de")
	c.path, c.bytes, c.records = "/v1/orders?limit=10", 1900, 10
	w.do(c)
	before := w.record(profile.KindCaller, "acme")
	for i := range 100 {
		w.now = w.now.Add(time.Second)
		k := c
		k.device, k.status = fmt.Sprint("curl ", i%2), 401
		w.do(k)
	}
	after := w.record(profile.KindCaller, "acme")
	if after.HabitRings.Switches10m != before.HabitRings.Switches10m || after.HabitRings.Returns10m != before.HabitRings.Returns10m ||
		after.Habits().Context != before.Habits().Context || after.Contexts != before.Contexts {
		t.Error("forged requests changed the context")
	}
	if ex := w.do(c); find(ex, Switches) != nil || find(ex, Replay) != nil {
		t.Error("and told of it")
	}
}
