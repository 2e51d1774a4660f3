package scoring

import (
	"fmt"
	"testing"
	"time"
)

// An account that has only ever read its orders, and now and then searched,
// searches and does little else: at its own pace, on its own device.
func TestUsage(t *testing.T) {
	w := newWorld(t)
	day := func(searches int, each func(ex *Exchange)) {
		morning := w.now
		for h := 9; h < 17; h++ {
			w.now = morning.Add(time.Duration(h)*time.Hour + time.Duration(w.rng.IntN(1200))*time.Second)
			for range 12 {
				w.now = w.now.Add(time.Duration(10+w.rng.IntN(60)) * time.Second)
				path := []string{"/v1/orders", "/v1/status", "/v1/invoices"}[w.rng.IntN(3)]
				if w.rng.IntN(100) < searches {
					path = "/v1/search"
				}
				ex := w.do(call{caller: "acme", device: "acme", network: "acme", path: path, bytes: 900, records: -1})
				if each != nil {
					each(ex)
				}
			}
		}
		w.now = morning.Add(24 * time.Hour)
	}
	for range 15 {
		day(4, nil)
	}
	told := func(searches int) (n int) {
		day(searches, func(ex *Exchange) {
			if e := find(ex, Usage); e != nil && e.Score > 2 {
				if n++; n == 1 {
					t.Log(e.Summary())
				}
			}
			if ex.Assessment.Anomalous {
				t.Error("a mix alone alarms")
			}
		})
		return n
	}
	for i := range 5 {
		if n := told(4); n > 0 {
			t.Errorf("day %d as ever: told %d times", i, n)
		}
	}
	if n := told(85); n < 10 {
		t.Errorf("a day of searches was told of %d times", n)
	}
}

// Nobody's mix is odd for a release that brings a route everybody uses.
func TestUsageOfARelease(t *testing.T) {
	w := shop(t)
	worst := 0.0
	for day := range 3 {
		for who := range 5 {
			w.now = monday.Add(time.Duration(24*(11+day)+10)*time.Hour + time.Duration(who)*time.Hour)
			name := fmt.Sprint("shopper ", who)
			for range 6 {
				w.shopping(name, 4, "list", nil)
				ex := w.do(call{caller: name, device: name, network: name, path: "/v2/wishes", bytes: 900, records: -1})
				if e := find(ex, Usage); e != nil {
					worst = max(worst, e.Score)
				}
				if ex.Assessment.Anomalous {
					tell(t, ex)
					t.Fatal("a release is anomalous")
				}
			}
		}
	}
	if worst > 2.5 {
		t.Errorf("a release scores %.1f", worst)
	}
}
