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

// From where a folded route is come to is known as before, by what those routes
// are called now, for no more than ownRuler steps; and who goes from one tenant
// to the next repeats a route.
func TestFoldedRouteKeepsItsSteps(t *testing.T) {
	w := newWorld(t)
	match := func(path string) uint32 { return w.routes.Match([]byte("GET"), []byte(path)).ID }
	for i := 0; i < 300 && match("/t/any/orders") != match("/t/other/orders"); i++ {
		tenant := "/t/x" + letters(i)
		for _, path := range []string{"/home", tenant + "/cart", tenant + "/orders", "/t/x" + letters(i/2) + "/orders"} {
			w.now = w.now.Add(10 * time.Second)
			w.do(call{caller: fmt.Sprint("caller ", i%7), path: path, records: 10, bytes: 2000})
		}
	}
	steps := func(path string) (n float64, from func(path string) float64) {
		rec, pin, ok := w.store.Find(routeKey(match(path)))
		if !ok {
			t.Fatalf("%s has no record", path)
		}
		defer pin.Release()
		var p population
		p.read(rec)
		return p.steps, func(path string) float64 { return p.before(shortRoute(match(path))) / p.steps }
	}
	n, from := steps("/t/any/orders")
	if n < 20 || n > ownRuler+2 {
		t.Errorf("%v steps to the folded route", n)
	}
	if cart, self := from("/t/any/cart"), from("/t/any/orders"); cart < 0.9 || self == 0 || self > 0.1 {
		t.Errorf("%.2f of them from the cart, %.2f from itself", cart, self)
	}
	if n, from := steps("/t/any/cart"); n < 20 || n > ownRuler+2 || from("/home") < 0.9 {
		t.Errorf("%v steps to the cart, %.2f of them from home", n, from("/home"))
	}
}

// What one caller has taught about the objects of a hundred routes counts for no
// more, once they are one, than what it may teach about one.
func TestFoldedRouteHasOneRuler(t *testing.T) {
	w := newWorld(t)
	match := func(path string) uint32 { return w.routes.Match([]byte("GET"), []byte(path)).ID }
	for i := 0; i < 300 && match("/t/any/orders/1") != match("/t/other/orders/1"); i++ {
		for order := range 12 {
			w.now = w.now.Add(time.Minute)
			for range 2 {
				w.do(call{caller: "alone", path: fmt.Sprint("/t/x"+letters(i)+"/orders/", 1000*i+order), records: 1, bytes: 300})
			}
		}
	}
	rec, pin, ok := w.store.Find(routeKey(match("/t/any/orders/1")))
	if !ok {
		t.Fatal("the folded route has no record")
	}
	defer pin.Release()
	for _, n := range []float32{rec.Population().Adjacent.N, rec.Population().Foreign.N} {
		if n < ownRuler-1 || n > ownRuler+1 {
			t.Errorf("it counts for %v objects", n)
		}
	}
}

func letters(i int) string { return fmt.Sprintf("%c%c", 'a'+i%26, 'a'+i/26%26) }
