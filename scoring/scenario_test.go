package scoring

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
)

// Five days of an office, and nothing is odd; then a thief comes.
func TestThief(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(5, acme, &customer{name: "brix"}, &customer{name: "cobb"})
	if w.anomalous != 0 {
		t.Errorf("%d of %d benign exchanges are anomalous", w.anomalous, w.exchanges)
	}
	rec := w.record(profile.KindCaller, "acme")
	t.Logf("%d benign exchanges, caller: accepted %d, sessions %d", w.exchanges, rec.Accepted, rec.Sessions)
	w.now = w.now.Add(3 * time.Hour)

	// Another device, another network, at three in the morning.
	theft := acme.base()
	theft.address, theft.network, theft.device, theft.path = "far", "far away", "curl", "/v1/orders/1"
	ex := w.do(theft)
	tell(t, ex)
	if e := find(ex, Takeover); e == nil || !ex.Assessment.Anomalous {
		t.Errorf("the take-over is not anomalous: score %.1f", ex.Assessment.Score)
	}
	if ex.Assessment.Known || !ex.Assessment.Mature {
		t.Errorf("known %v, mature %v", ex.Assessment.Known, ex.Assessment.Mature)
	}
	// Repeating it makes nothing usual.
	before := w.record(profile.KindCaller, "acme")
	for range 100 {
		w.now = w.now.Add(time.Minute)
		ex = w.do(theft)
	}
	after := w.record(profile.KindCaller, "acme")
	if !ex.Assessment.Anomalous || *after.Habits() != *before.Habits() && after.Habits().Devices != before.Habits().Devices {
		t.Errorf("the thief taught its habits: score %.1f", ex.Assessment.Score)
	}
}

// The owner's own device and network, but object after object.
func TestIDWalk(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(5, acme)
	w.now = w.now.Add(3 * time.Hour)
	for i := range 60 {
		w.now = w.now.Add(time.Second)
		c := acme.base()
		c.path, c.records, c.bytes = fmt.Sprintf("/v1/orders/%d", 5000+i), 1, 190
		if ex := w.do(c); ex.Assessment.Anomalous {
			tell(t, ex)
			if find(ex, NewObjects) == nil || i < 8 {
				t.Errorf("anomalous at object %d for another reason", i+1)
			}
			t.Logf("anomalous at object %d", i+1)
			return
		}
	}
	t.Error("sixty objects in a minute passed")
}

// Ten records are usual; ten thousand come.
func TestDump(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(5, acme, &customer{name: "brix"})
	w.now = w.now.Add(10 * time.Hour)
	c := acme.base()
	c.path = "/v1/orders?limit=10000"
	ex := w.begin(c)
	usual := ex.Assessment.Usual
	t.Logf("usual: %d records, %d bytes", usual.Records, usual.Bytes)
	if usual.Records < 20 || usual.Records > 2000 || usual.Bytes < 4000 || usual.Bytes > 400_000 {
		t.Errorf("usual: %+v", usual)
	}
	// Under the usual it is not anomalous, over it it is.
	ex.Status, ex.Records = 200, usual.Records-usual.Records/50
	w.scorer.Meter(ex, w.now)
	if ex.Assessment.Anomalous {
		t.Errorf("%d records are anomalous, but %d are still usual", ex.Records, usual.Records)
	}
	ex.Records = usual.Records + 1
	w.scorer.Meter(ex, w.now)
	if !ex.Assessment.Anomalous {
		t.Errorf("%d records are not anomalous, score %v, but %d is the most that is usual", ex.Records, ex.Assessment.Score, usual.Records)
	}
	ex.Records = 10_000
	w.scorer.Meter(ex, w.now)
	tell(t, ex)
	if e := find(ex, Volume); e == nil || e.Observed != 10_000 || e.Expected < 8 || e.Expected > 12 {
		t.Errorf("evidence %+v", e)
	}
	w.scorer.Complete(ex, Truncated, w.now)
	if again := w.begin(c); again.Assessment.Usual.Records > usual.Records {
		t.Errorf("the dump raised the usual from %d to %d", usual.Records, again.Assessment.Usual.Records)
	}
}

// A page at a time, each as large as may pass: ten minutes' volume is a bound
// of its own.
func TestPagedDump(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(5, acme, &customer{name: "brix"})
	w.now = w.now.Add(10 * time.Hour)
	c := acme.base()
	c.path = "/v1/orders?limit=190"
	rec := w.record(profile.KindCaller, "acme")
	usual := math.Exp2(float64(rec.Baseline.Records10m.Mean))
	var taken int64
	for range 400 {
		w.now = w.now.Add(1500 * time.Millisecond)
		ex := w.begin(c)
		n := min(190, ex.Assessment.Usual.Records)
		if n < 190 {
			w.scorer.Complete(ex, Refused, w.now)
			continue
		}
		ex.Status, ex.Records, ex.ResponseBytes = 200, n, n*190
		w.scorer.Complete(ex, Answered, w.now)
		taken += n
	}
	t.Logf("%d records in ten minutes where %.0f are usual", taken, usual)
	if float64(taken) > 40*usual {
		t.Errorf("%d records left in ten minutes, %.0f times the usual", taken, float64(taken)/usual)
	}
}

// A token's own history binds what it may read, whoever else is named beside it.
func TestUsualIsTheCredentialsToo(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(5, acme)
	w.now = w.now.Add(10 * time.Hour)
	c := acme.base()
	c.path = "/v1/orders?limit=10000"
	own := w.begin(c).Assessment
	c.caller = "somebody new"
	if a := w.begin(c).Assessment; a.Mature || a.Usual.Records == 0 || a.Usual.Records > own.Usual.Records || a.Range == 0 || a.Range > a.Usual.Bytes {
		t.Errorf("a stolen token may read %+v and %d bytes, its owner %+v", a.Usual, a.Range, own.Usual)
	}
}

// After a restart the table of routes is empty and the records are there: what
// is usual must be judged on the route's own ruler, not on the prior.
func TestUsualSurvivesARestart(t *testing.T) {
	w := newWorld(t)
	c := &customer{name: "brix"}
	w.days(5, c)
	w.now = w.now.Add(10 * time.Hour)
	list := c.base()
	list.path, list.bytes, list.records = "/v1/orders", 1900, 10
	before := w.begin(list).Assessment.Usual
	w.scorer = New(Config{Store: w.store, Routes: route.New()})
	if after := w.begin(list).Assessment.Usual; before.Records == 0 || after != before {
		t.Errorf("usual was %+v, after a restart %+v", before, after)
	}
}

// A newcomer at a normal pace scores far below the threshold, all of its first
// days.
func TestNewcomer(t *testing.T) {
	w := newWorld(t)
	w.days(5, &customer{name: "brix"}, &customer{name: "cobb"})
	worst := 0.0
	newcomer := &customer{name: "new"}
	for range 40 {
		w.now = w.now.Add(20 * time.Second)
		c := newcomer.base()
		newcomer.order++
		c.path, c.records, c.bytes = fmt.Sprintf("/v1/orders/%d", newcomer.order), 1, 190
		ex := w.do(c)
		worst = max(worst, ex.Assessment.Score)
		if ex.Assessment.Mature || ex.Assessment.Usual.Records != 0 {
			t.Fatalf("mature after %d requests", newcomer.order)
		}
	}
	if worst > 2.5 {
		t.Errorf("a newcomer scores %.1f", worst)
	}
}

// A token for sale, used with a fresh API key a request.
func TestCompanions(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(5, acme)
	w.now = w.now.Add(10 * time.Hour)
	for i := range 30 {
		c := acme.base()
		c.path, c.companion = "/v1/orders?limit=10", fmt.Sprint("key ", i)
		if ex := w.do(c); ex.Assessment.Anomalous {
			t.Logf("anomalous at the %dth", i+1)
			tell(t, ex)
			if find(ex, Companion) == nil {
				t.Error("for another reason")
			}
			return
		}
	}
	t.Error("thirty fresh companions passed")
}

// The same second key with every request is a habit like any other.
func TestSteadyCompanionIsQuiet(t *testing.T) {
	w := newWorld(t)
	for range 5 * 24 {
		for range 5 {
			w.now = w.now.Add(12 * time.Minute)
			ex := w.do(call{caller: "acme", companion: "partner", path: "/v1/orders", bytes: 100, records: 1})
			if find(ex, Companion) != nil && ex.Assessment.Score > 1 {
				t.Fatalf("score %.1f at %v", ex.Assessment.Score, w.now)
			}
		}
	}
}

// A batch that the history holds stays quiet, though by day the same caller
// makes a request a minute; so does a campaign that trebles a newcomer's calls.
func TestNightlyBatchAndCampaignStayQuiet(t *testing.T) {
	w := newWorld(t)
	shop := func(name string, n int) {
		for i := range n {
			c := call{caller: name, address: name, network: name, device: "sync", path: fmt.Sprintf("/v1/orders/%d", w.rng.IntN(1e6)), bytes: 200, records: 1}
			if i == 0 {
				c.path, c.records, c.bytes = "/v1/orders", 20, 4000
			}
			w.do(c)
		}
	}
	for minute := range 12 * 24 * 60 {
		w.now = monday.Add(time.Duration(minute) * time.Minute)
		at := w.now.Hour()*60 + w.now.Minute()
		w.do(call{caller: "batch", address: "batch", network: "batch", device: "batch", path: "/v1/status", bytes: 90, records: -1})
		if at >= 120 && at < 140 { // twenty minutes at two in the night
			for i := range 200 {
				w.now = w.now.Add(200 * time.Millisecond)
				w.do(call{caller: "batch", address: "batch", network: "batch", device: "batch",
					path: fmt.Sprintf("/v1/export?page=%d", i), bytes: 80_000, records: 500})
			}
		}
		if minute%15 == 0 {
			n := 3 + w.rng.IntN(3)
			if minute/60/24 == 11 && at > 600 && at < 780 {
				n *= 3 // the campaign, on the last day
			}
			shop("shop", n)
			if minute/60/24 >= 10 {
				shop("newshop", n)
			}
		}
	}
	t.Logf("%d exchanges, %d anomalous", w.exchanges, w.anomalous)
	if w.anomalous != 0 {
		t.Errorf("%d of %d exchanges are anomalous", w.anomalous, w.exchanges)
	}
}

// tell prints the evidence as a person reads it.
func tell(t testing.TB, ex *Exchange) {
	t.Helper()
	var b strings.Builder
	for i := range ex.Assessment.Evidence {
		e := &ex.Assessment.Evidence[i]
		fmt.Fprintf(&b, "\n  %-11s %-10s %4.1f  %s (%s, %s)", e.Detector, e.Entity, e.Score, e.Summary(), e.Attack(), e.OWASP())
	}
	t.Logf("score %.1f of %.1f%s", ex.Assessment.Score, ex.Assessment.Threshold, b.String())
}
