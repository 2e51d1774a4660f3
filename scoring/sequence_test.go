package scoring

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// shopper goes through a shop the way that people do: what it does next depends
// on what it did last.
var shopper = map[string][]string{ // eight of ten are the first that is named
	"":         {"home", "login", "search"},
	"home":     {"search", "list", "login"},
	"login":    {"list", "profile", "search"},
	"search":   {"list", "item", "home"},
	"list":     {"item", "search", "home"},
	"item":     {"cart", "list", "reviews"},
	"reviews":  {"cart", "item", "list"},
	"cart":     {"checkout", "list", "item"},
	"checkout": {"orders", "home", "profile"},
	"orders":   {"home", "profile", "list"},
	"profile":  {"home", "orders", "list"},
}

func (w *world) shopping(name string, steps int, at string, each func(ex *Exchange)) {
	for range steps {
		next := shopper[at]
		switch w.rng.IntN(10) {
		default:
			at = next[0]
		case 8:
			at = next[1]
		case 9:
			at = next[2]
		}
		w.now = w.now.Add(time.Duration(5+w.rng.IntN(30)) * time.Second)
		if ex := w.do(call{caller: name, device: name, network: name, path: "/v1/" + at, bytes: 900, records: -1}); each != nil {
			each(ex)
		}
	}
}

// shop is a world in which twenty have gone shopping for ten days.
func shop(t *testing.T) *world {
	w := newWorld(t)
	for day := range 10 {
		for who := range 20 {
			for h := range 3 {
				w.now = monday.Add(time.Duration(24*day+10+3*h)*time.Hour + time.Duration(who)*time.Minute)
				w.shopping(fmt.Sprint("shopper ", who), 25, "", nil)
			}
		}
	}
	w.now = monday.Add(10*24*time.Hour + 12*time.Hour)
	return w
}

// A program goes through the shop in any order, at a shopper's pace.
func TestSequence(t *testing.T) {
	w := shop(t)
	if float64(w.anomalous) > 1e-4*float64(w.exchanges) {
		t.Errorf("%d of %d benign exchanges are anomalous", w.anomalous, w.exchanges)
	}
	var places []string
	for _, p := range []string{"home", "login", "search", "list", "item", "reviews", "cart", "checkout", "orders", "profile"} {
		places = append(places, "/v1/"+p)
	}
	found, victims := 0, 20
	for who := range victims {
		name := fmt.Sprint("shopper ", who)
		for range 60 {
			w.now = w.now.Add(time.Duration(5+w.rng.IntN(20)) * time.Second)
			ex := w.do(call{caller: name, device: name, network: name, path: places[w.rng.IntN(len(places))], bytes: 900, records: -1})
			if ex.Assessment.Anomalous && ex.Assessment.Evidence[0].Detector == Sequence {
				found++
				break
			}
		}
	}
	t.Logf("%d of %d found", found, victims)
	if found < victims*3/4 {
		t.Errorf("%d of %d who go in any order were found", found, victims)
	}
}

// Checkout after checkout, never with a cart.
func TestCheckoutWithoutCart(t *testing.T) {
	w := shop(t)
	for i := range 60 {
		w.now = w.now.Add(10 * time.Second)
		path := "/v1/item"
		if i%2 == 1 {
			path = "/v1/checkout"
		}
		if ex := w.do(call{caller: "shopper 3", device: "shopper 3", network: "shopper 3", path: path, bytes: 900, records: -1}); ex.Assessment.Anomalous {
			tell(t, ex)
			if ex.Assessment.Evidence[0].Detector != Sequence || i < 3 {
				t.Errorf("anomalous at %d for another reason", i+1)
			}
			return
		}
	}
	t.Error("thirty checkouts without a cart passed")
}

// A release with new routes, and a habit of one's own, are no surprise.
func TestSequencesThatAreQuiet(t *testing.T) {
	w := shop(t)
	for i := range 200 {
		w.now = w.now.Add(20 * time.Second)
		path := []string{"/v1/list", "/v2/wishes", "/v2/offers", "/v1/home", "/v2/points", "/v2/wishes"}[i%6]
		ex := w.do(call{caller: "shopper 4", device: "shopper 4", network: "shopper 4", path: path, bytes: 900, records: -1})
		if ex.Assessment.Anomalous {
			tell(t, ex)
			t.Fatalf("a release is anomalous at %d", i+1)
		}
	}
}

// In a world as the model has it, W exceeds s with a chance of no more than 2^-s
// at a step, though the model has to be learned.
func TestSequenceIsSuperUniform(t *testing.T) {
	w := shop(t)
	levels := []float64{3, 5, 7, 10, 13}
	over, steps := make([]int, len(levels)), 0
	for day := range 30 {
		for who := range 20 {
			w.now = monday.Add(time.Duration(24*(11+day)+10)*time.Hour + time.Duration(who)*20*time.Minute)
			w.shopping(fmt.Sprint("shopper ", who), 50, "", func(ex *Exchange) {
				steps++
				r := w.record(profile.KindCaller, string(ex.Entities[profile.KindCaller].Name))
				for i, s := range levels {
					if float64(r.Habits().Order)/orderUnit >= s {
						over[i]++
					}
				}
			})
		}
	}
	t.Logf("beyond %v bits in %v of %d steps", levels, over, steps)
	for i, s := range levels {
		p := math.Exp2(-s)
		if allowed := 1.5*p*float64(steps) + 3*math.Sqrt(p*float64(steps)); float64(over[i]) > allowed {
			t.Errorf("%d of %d steps beyond %v bits, at most %.0f would do", over[i], steps, s, allowed)
		}
	}
	if over[0] == 0 {
		t.Error("nothing was ever surprising")
	}
}

// Steps of requests that were refused, or odd, are not learned.
func TestSequenceOfRefusedTeachesNothing(t *testing.T) {
	w := shop(t)
	name := "shopper 5"
	w.shopping(name, 5, "", nil)
	before := w.record(profile.KindCaller, name)
	for i := range 100 {
		w.now = w.now.Add(time.Second)
		w.do(call{caller: name, device: name, network: name, path: []string{"/v1/login", "/v1/checkout"}[i%2], status: 403})
	}
	after := w.record(profile.KindCaller, name)
	a, b := after.Habits(), before.Habits()
	if a.Steps != b.Steps || a.Order != b.Order || a.Last != b.Last || a.Endpoints != b.Endpoints || after.Mix != before.Mix {
		t.Error("refused steps changed the record")
	}
}
