package scoring

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// archive is a world of ten customers, each with invoices of its own at ids that
// are everybody's mixed, who have read them for ten days, and a catalogue.
func archive(t *testing.T) *world {
	w := newWorld(t)
	for day := range 10 {
		for who := range 10 {
			for h := range 4 {
				w.now = monday.Add(time.Duration(24*day+9+2*h)*time.Hour + time.Duration(who)*5*time.Minute)
				for range 8 {
					w.now = w.now.Add(time.Duration(5+w.rng.IntN(40)) * time.Second)
					w.do(w.reads(who, w.invoice(who)))
					w.do(w.reads(who, fmt.Sprint("/v1/catalogue/", 1+w.rng.IntN(500))))
				}
			}
		}
	}
	w.now = monday.Add(10*24*time.Hour + 9*time.Hour)
	return w
}

func (w *world) reads(who int, path string) call {
	name := fmt.Sprint("customer ", who)
	return call{caller: name, device: name, network: name, path: path, bytes: 300, records: 1}
}

// invoice is one of a customer's two hundred.
func (w *world) invoice(who int) string {
	return fmt.Sprint("/v1/invoices/", 10_000+10*w.rng.IntN(200)+who)
}

// walks plays n requests and returns the evidence of enumeration when it was
// first as high as score, and at which request.
func (w *world) walks(n int, pause time.Duration, score float64, next func(i int) call) (*Evidence, int) {
	for i := range n {
		w.now = w.now.Add(pause)
		if e := find(w.do(next(i)), Enumeration); e != nil && e.Score >= score {
			w.t.Logf("%d: %.1f %s", i+1, e.Score, e.Summary())
			return e, i + 1
		}
	}
	return nil, 0
}

// Somebody counts through the ids, slowly; half of them do not exist.
func TestWalkOfNeighbours(t *testing.T) {
	w := archive(t)
	if float64(w.anomalous) > 1e-3*float64(w.exchanges) {
		t.Errorf("%d of %d benign exchanges are anomalous", w.anomalous, w.exchanges)
	}
	e, at := w.walks(60, 20*time.Second, 4, func(i int) call {
		c := w.reads(3, fmt.Sprint("/v1/invoices/", 50_000+i))
		if i%2 == 1 {
			c.status = 404
		}
		return c
	})
	if e == nil || e.Unit != "neighbours" || at < 6 || at > 31 {
		t.Errorf("at %d: %+v", at, e)
	}
}

// Somebody asks for the invoices of others, in no order.
func TestWalkOfWhatIsOthers(t *testing.T) {
	w := archive(t)
	e, at := w.walks(60, 20*time.Second, 4, func(i int) call { return w.reads(3, w.invoice((i*7+5)%10)) })
	if e == nil || e.Unit != "objects of others" || at > 31 {
		t.Errorf("at %d: %+v", at, e)
	}
}

// Who leafs through a catalogue, through invoices of its own that it has not
// read for long, or in an evening through ten new ones, walks nowhere.
func TestWalksThatAreQuiet(t *testing.T) {
	f := func(what string, n int, next func(w *world, i int) string) {
		t.Helper()
		w := archive(t)
		if e, at := w.walks(n, 15*time.Second, 3.5, func(i int) call { return w.reads(4, next(w, i)) }); e != nil {
			t.Errorf("%s: at %d: %s", what, at, e.Summary())
		}
	}
	f("a catalogue", 60, func(w *world, i int) string { return fmt.Sprint("/v1/catalogue/", 1+w.rng.IntN(500)) })
	f("its own", 60, func(w *world, i int) string { return w.invoice(4) })
	f("its own in order", 40, func(w *world, i int) string { return fmt.Sprint("/v1/invoices/", 10_000+10*i+4) })
	f("new ones in order", 8, func(w *world, i int) string { return fmt.Sprint("/v1/invoices/", 90_000+i) })
}

// A program that reads all there is in order, every night, is used to it.
func TestWalkByHabit(t *testing.T) {
	w := newWorld(t)
	for day := range 14 {
		w.now = monday.Add(time.Duration(24*day+2) * time.Hour)
		for i := range 400 {
			w.now = w.now.Add(4 * time.Second)
			ex := w.do(call{caller: "sync", device: "sync", network: "sync", path: fmt.Sprint("/v1/invoices/", 1000*day+i), bytes: 300, records: 1})
			if e := find(ex, Enumeration); e != nil && day > 3 && e.Score > 2 {
				t.Fatalf("day %d: %s (%.1f)", day, e.Summary(), e.Score)
			}
		}
	}
	r := w.record(profile.KindCaller, "sync")
	if usual := r.Habits().Walk.Adjacent.Novelty(); usual.Ratio(0, 1) < 0.8 {
		t.Errorf("%+v", usual)
	}
}

// Who asks for many at once goes through them in the order of asking.
func TestWalkOfManyAtOnce(t *testing.T) {
	w := archive(t)
	for round := range 4 {
		var open []*Exchange
		for i := range 10 {
			open = append(open, w.begin(w.reads(3, fmt.Sprint("/v1/invoices/", 50_000+10*round+i))))
		}
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
		for _, ex := range open {
			w.finish(ex, call{bytes: 300, records: 1})
		}
		w.now = w.now.Add(time.Second)
	}
	r := w.record(profile.KindCaller, "customer 3")
	if now := r.Habits().Walk.AdjacentNow; now.K < 34 {
		t.Errorf("%d of %d are neighbours", now.K, now.N)
	}
}

// What was refused, or odd, makes nothing anybody's and nothing usual.
func TestWalkOfRefusedTeachesNothing(t *testing.T) {
	w := archive(t)
	w.do(w.reads(3, w.invoice(3)))
	before := w.record(profile.KindCaller, "customer 3")
	object := w.routes.Match([]byte("GET"), []byte("/v1/invoices/70001")).Object
	for i := range 50 {
		w.now = w.now.Add(time.Second)
		c := w.reads(3, fmt.Sprint("/v1/invoices/", 70_000+i))
		c.status = 403
		w.do(c)
	}
	after := w.record(profile.KindCaller, "customer 3")
	a, b := after.Habits().Walk, before.Habits().Walk
	if a.Adjacent != b.Adjacent || a.Foreign != b.Foreign || a.AdjacentNow != b.AdjacentNow || a.ForeignNow != b.ForeignNow {
		t.Errorf("refused objects changed %+v to %+v", b, a)
	}
	if got := w.store.Owners().Look(object, 1); got != profile.Nobody {
		t.Errorf("a refused object is %d's", got)
	}
}

// Where the share of a ten minutes is Beta-distributed about m, as the model has
// it, log2 LR is exceeded in no more than its share of them.
func TestWalkBitsAreSuperUniform(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	const windows = 300_000
	for _, m := range []float64{0.005, 0.05, 0.3, 0.9} {
		for _, n := range []int{1, 5, 30, 200} {
			over := [4]int{}
			for range windows / 10 {
				x, y := gamma(rng, walkTogether*m), gamma(rng, walkTogether*(1-m))
				k, share := 0.0, x/(x+y)
				for range n {
					if rng.Float64() < share {
						k++
					}
				}
				for i := range over {
					if walkBits(k, float64(n), m) >= float64(3*i+4) {
						over[i]++
					}
				}
			}
			for i, got := range over {
				p := math.Exp2(-float64(3*i + 4))
				if allowed := p*windows/10 + 3*math.Sqrt(p*windows/10); float64(got) > allowed {
					t.Errorf("m %v, n %d: %d beyond %d bits, at most %.0f would do", m, n, got, 3*i+4, allowed)
				}
			}
		}
	}
	for _, m := range []float64{0, 0.001, 0.2, 0.8, 1} {
		for n := 1.0; n < 256; n += 7 {
			last := 0.0
			for k := range int(n) + 1 {
				bits := walkBits(float64(k), n, m)
				if bits < last || math.IsNaN(bits) || math.IsInf(bits, 0) {
					t.Fatalf("m %v: %d of %v: %v bits after %v", m, k, n, bits, last)
				}
				last = bits
			}
		}
	}
}

// A route without steps, that one alone calls, is taught as much about its
// objects as makes a ruler; it learns on when another comes.
func TestWalkTeachesByTurns(t *testing.T) {
	w := newWorld(t)
	next := 0
	read := func(who int) *profile.Population {
		w.now = w.now.Add(time.Minute)
		next++
		for range 2 { // what is touched again is its own
			w.do(w.reads(who, fmt.Sprint("/v1/invoices/", 1000+next)))
		}
		rec, pin, ok := w.store.Find(routeKey(w.routes.Match([]byte("GET"), []byte("/v1/invoices/1")).ID))
		if !ok {
			t.Fatal("the route has no record")
		}
		defer pin.Release()
		p := *rec.Population()
		return &p
	}
	var alone *profile.Population
	for range 300 {
		alone = read(1)
	}
	others := alone.BeforeN
	for _, from := range alone.Before {
		others -= float32(from.Count()) // the only route before it is itself
	}
	if n := [...]float32{others, alone.Adjacent.N, alone.Foreign.N}; n[0] > 1 || n[1] < ownRuler-1 || n[1] > ownRuler+1 || n[2] < ownRuler-1 || n[2] > ownRuler+1 {
		t.Errorf("one alone has taught %v steps, neighbours and owners", n)
	}
	for range 50 {
		read(2)
		read(1)
	}
	if both := read(2); both.Adjacent.N < alone.Adjacent.N+50 {
		t.Errorf("two by turns have taught %v, after %v", both.Adjacent, alone.Adjacent)
	}
}
