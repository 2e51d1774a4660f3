package scoring

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// A route that has become of many starts from what was known of them: mean and
// spread, the largest answer, since when.
func TestFoldedRouteStartsFromWhatWasKnown(t *testing.T) {
	w := newWorld(t)
	began := seconds(w.now)
	tenant := func(i int) call {
		return call{caller: fmt.Sprint("caller ", i%7), path: fmt.Sprintf("/t/x%c%c/orders", 'a'+i%26, 'a'+i/26), records: 10, bytes: 2000 + int64(i)}
	}
	name := ""
	for i := range 200 {
		w.now = w.now.Add(time.Minute)
		if i == 20 {
			c := tenant(3)
			c.bytes = 50_000
			w.do(c)
		}
		if name = w.do(tenant(i)).Route.Name; name == "GET /t/{id}/orders" {
			break
		}
	}
	ex := w.begin(tenant(300))
	if name != "GET /t/{id}/orders" || ex.Route.Name != name {
		t.Fatalf("%s, then %s", name, ex.Route.Name)
	}
	rec, pin, ok := w.store.Find(routeKey(ex.Route.ID))
	if !ok {
		t.Fatal("the folded route has no record")
	}
	defer pin.Release()
	p := rec.Population()
	if mean := float64(p.Bytes.Mean); math.Abs(mean-math.Log2(2050)) > 0.3 || p.Bytes.N > ownRuler+1 || p.Bytes.N < 20 {
		t.Errorf("bytes %+v", p.Bytes)
	}
	if p.LargestBytes.Most < float32(math.Log2(50_000)) || p.LargestBytes.N < 64 || rec.Created > began+120 || rec.Accepted < 64 {
		t.Errorf("largest %+v, created %d, accepted %d", p.LargestBytes, rec.Created, rec.Accepted)
	}
	if got := rec.Name.String(); got != name {
		t.Errorf("its record is called %s", got)
	}
}
