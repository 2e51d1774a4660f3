package scoring

import (
	"fmt"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// orderOf is one order of the caller's, as every customer reads them.
func orderOf(c *customer, w *world) call {
	one := c.base()
	one.path, one.records, one.bytes = fmt.Sprintf("/v1/orders/%d", 1000+w.rng.IntN(5)), 1, 180+int64(w.rng.IntN(40))
	return one
}

// plain asks whether the call would be, and withdraws it.
func (w *world) plain(c call) bool {
	ex := w.begin(c)
	w.scorer.Complete(ex, Refused, w.now)
	return ex.Assessment.Plain
}

// customers is a world in which three customers have worked for five days.
func customers(t *testing.T) (w *world, acme, brix *customer) {
	w = newWorld(t)
	acme, brix = &customer{name: "acme"}, &customer{name: "brix"}
	w.days(5, acme, brix, &customer{name: "cobb"})
	w.now = w.now.Add(10 * time.Hour)
	return w, acme, brix
}

func TestPlain(t *testing.T) {
	w, acme, _ := customers(t)
	one, list := orderOf(acme, w), acme.base()
	list.path = "/v1/orders?limit=10000"
	if !w.plain(one) {
		t.Error("an order of a settled customer's is not plain")
	}
	if w.plain(list) {
		t.Error("a list is plain: ten records are usual, and ten thousand may come")
	}
	stranger := (&customer{name: "new"}).base()
	stranger.path = one.path
	if w.plain(stranger) {
		t.Error("a stranger's order is plain")
	}
	stranger = one
	stranger.caller, stranger.credential = "", ""
	if w.plain(stranger) {
		t.Error("nobody's order is plain")
	}
	unknown := one
	unknown.path = "/v1/export/17"
	if w.plain(unknown) {
		t.Error("a route that nobody knows is plain")
	}
	// A credential that has just been issued bounds nothing, and takes nothing away.
	fresh := one
	fresh.credential = "issued today"
	if !w.plain(fresh) {
		t.Error("a fresh credential of a settled caller is not plain")
	}
}

// Whatever a route gives, to anybody and however odd, is remembered.
func TestPlainEndsWithTheFirstLargeAnswer(t *testing.T) {
	for name, dump := range map[string]func(*call){
		"records":            func(c *call) { c.records, c.bytes = 10_000, 1_900_000 },
		"records of no size": func(c *call) { c.records = 40 },
		"bytes, by the log":  func(c *call) { c.records, c.bytes = -1, 1_900_000 },
		"bytes, aborted":     func(c *call) { c.records, c.bytes, c.end = 1, 1_900_000, Truncated },
		"one record more":    func(c *call) { c.records, c.bytes = 2, 380 },
	} {
		w, acme, brix := customers(t)
		c := orderOf(brix, w)
		dump(&c)
		w.do(c)
		days := 14
		if name == "one record more" {
			days = 4 // two are soon forgotten, and never gave much
		}
		for day := range days {
			if w.plain(orderOf(acme, w)) {
				t.Errorf("%s: plain for another caller %d days later", name, day)
			}
			for range 100 { // the usual goes on
				w.now = w.now.Add(5 * time.Minute)
				w.do(orderOf(brix, w))
			}
			w.now = w.now.Add(24*time.Hour - 500*time.Minute)
		}
		if name != "records" && name != "one record more" {
			continue
		}
		// It comes back, when it has long given single records only.
		for range 120 {
			for range 20 {
				w.now = w.now.Add(10 * time.Minute)
				w.do(orderOf(brix, w))
				w.do(orderOf(acme, w))
			}
			w.now = w.now.Add(24*time.Hour - 200*time.Minute)
		}
		if !w.plain(orderOf(acme, w)) {
			t.Errorf("%s: never plain again", name)
		}
	}
}

// A route gives ten records to whom asks for ten. A patient thief, of a key that
// usually pulls ten, asks for one at a time until that is all anybody knows.
func TestPlainIsNotTaughtByAskingForLess(t *testing.T) {
	w, acme, brix := customers(t)
	for day := range 16 {
		for range 200 {
			w.now = w.now.Add(4 * time.Minute)
			for _, who := range []*customer{acme, brix} {
				c := who.base()
				c.path, c.records, c.bytes = "/v1/orders?limit=1", 1, 200
				w.do(c)
			}
		}
		w.now = w.now.Add(24*time.Hour - 800*time.Minute)
		c := acme.base()
		c.path = "/v1/orders?limit=10000"
		if w.plain(c) {
			t.Fatalf("plain after %d days", day+1)
		}
	}
}

// Where nobody meters, sizes grow within what is common, until one answer holds
// what a hundred did.
func TestPlainIsNotTaughtByGrowing(t *testing.T) {
	w, acme, brix := customers(t)
	c := orderOf(acme, w)
	largest := 0.0
	for step, size := 0, 200.0; size < 20_000; step++ {
		c.bytes, c.records = int64(size), -1
		if w.plain(c) {
			largest = size
		}
		w.do(c)
		d := orderOf(brix, w)
		d.bytes, d.records = int64(size), -1
		w.do(d)
		w.now = w.now.Add(7 * time.Minute)
		size *= 1.002
	}
	if largest == 0 || largest > 2*220 {
		t.Errorf("plain up to %.0f bytes, where 220 are known to be one record", largest)
	}
	// Metered once, and found to be one record still, it is plain again, as far
	// as the callers' range goes by now.
	d := orderOf(brix, w)
	d.bytes, d.records = 20_000, 1
	w.do(d)
	rec, pin, _ := w.store.Find(routeKey(w.begin(d).Route.ID))
	p := *rec.Population()
	pin.Release()
	if p.LargestMetered.Most < p.LargestBytes.Most {
		t.Errorf("metered up to %v of %v", p.LargestMetered.Most, p.LargestBytes.Most)
	}
}

// Lessons without a count of records leave what is known of them as it is.
func TestRecordsStayKnownWhereNobodyMeters(t *testing.T) {
	w, acme, _ := customers(t)
	id := w.begin(orderOf(acme, w)).Route.ID
	population := func() profile.Population {
		rec, pin, ok := w.store.Find(routeKey(id))
		if !ok {
			t.Fatal("no route")
		}
		defer pin.Release()
		return *rec.Population()
	}
	before := population()
	for range 2000 {
		w.now = w.now.Add(10 * time.Minute)
		c := orderOf(acme, w)
		c.records = -1
		w.do(c)
	}
	after := population()
	if before.Records.N < 8 || after.Records != before.Records || after.LargestRecords != before.LargestRecords {
		t.Errorf("records %+v, then %+v", before.Records, after.Records)
	}
	if !w.plain(orderOf(acme, w)) {
		t.Error("no longer plain")
	}
}

// A route is known by what it gave to two at least, on more than a day.
func TestPlainNeedsARouteThatIsKnown(t *testing.T) {
	w, acme, brix := customers(t)
	ask := func(who *customer) call {
		c := who.base()
		c.path, c.records, c.bytes = fmt.Sprintf("/v1/parts/%d", 100+w.rng.IntN(3)), 1, 200
		return c
	}
	known := func(n int, who ...*customer) bool {
		for range n {
			w.now = w.now.Add(3 * time.Minute)
			for _, c := range who {
				w.do(ask(c))
			}
		}
		return w.plain(ask(acme))
	}
	if known(1000, acme) {
		t.Error("plain by one caller alone")
	}
	if known(5, brix, acme) {
		t.Error("plain by five responses to another")
	}
	if !known(40, brix, acme) {
		t.Error("not plain by forty of each")
	}
}
