package scoring

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// fleet is some replicas that share a stream out, and one that sees all of it.
type fleet struct {
	t     *testing.T
	parts []*world
	whole *world
	rng   *rand.Rand
}

func newFleet(t *testing.T, replicas int) *fleet {
	f := &fleet{t: t, whole: newWorld(t), rng: rand.New(rand.NewPCG(7, 8))}
	for range replicas {
		f.parts = append(f.parts, newWorld(t))
	}
	return f
}

func (f *fleet) do(c call, at time.Time, replica int) {
	for _, w := range []*world{f.whole, f.parts[replica]} {
		w.now = at
		w.do(c)
	}
}

// merged is the whole's record and the sum of the first two parts'.
func (f *fleet) merged(kind profile.Kind, name string) (whole, sum profile.Record) {
	f.t.Helper()
	a, b := f.parts[0].record(kind, name), f.parts[1].record(kind, name)
	sum = checkMerge(f.t, f.whole.scorer, &a, &b)
	whole = f.whole.record(kind, name)
	f.whole.scorer.rollTo(&whole, sum.LastSeen)
	return whole, sum
}

// pace is how somebody works: so many requests in an active ten minutes in the
// mean, varying by a Gamma of the given shape.
type pace struct {
	name        string
	mean, shape float64
}

var paces = []pace{{"seldom", 1.3, 4}, {"office", 12, 2}, {"bursts", 25, 0.7}, {"busy", 60, 4}}

// days plays everybody through so many days of eight hours; replica says where a
// request goes.
func (f *fleet) days(days int, replica func(visit, request int) int) {
	visit := 0
	for day := range days {
		for ten := range 48 {
			start := monday.Add(time.Duration(day)*24*time.Hour + 9*time.Hour + time.Duration(ten)*10*time.Minute)
			visit++
			for _, p := range paces {
				n := int(poisson(f.rng, p.mean*gamma(f.rng, p.shape)/p.shape))
				for i := range n {
					at := start.Add(time.Duration(float64(i) / float64(n) * float64(10*time.Minute)))
					size := 1000 * math.Exp(0.6*f.rng.NormFloat64())
					c := call{caller: p.name, address: p.name, network: p.name, device: p.name, records: 1 + int64(size/100), bytes: int64(size), path: "/v1/orders?page=1"}
					if f.rng.IntN(3) == 0 {
						c.path = fmt.Sprintf("/v1/orders/%d", f.rng.IntN(30))
					}
					if f.rng.IntN(40) == 0 {
						c.status = 404
					}
					f.do(c, at, replica(visit, f.rng.IntN(1<<20)))
				}
			}
			for range f.rng.IntN(4) {
				user := fmt.Sprint("user ", f.rng.IntN(1000))
				f.do(call{method: "POST", path: "/login", user: user, address: "signs in", status: 401}, start.Add(9*time.Minute), replica(visit, f.rng.IntN(1<<20)))
			}
		}
	}
}

// Whichever way requests are dealt out, what two replicas know together is what
// one knows that has seen them all: to the last one of what is counted, and nearly
// of what is usual: the mean of windows a fifth too low at most where requests are
// dealt out by turns, a third however it is done, and half as much again too high,
// which errs towards quiet; sizes of responses, whose moments add up, within a
// tenth of a deviation.
func TestSplitThenMerge(t *testing.T) {
	for _, way := range []struct {
		name    string
		replica func(visit, request int) int
		within  float64
	}{
		{"request by request", func(_, request int) int { return request % 2 }, 0.2},
		{"one in ten", func(_, request int) int { return min(request%10, 1) }, 1.0 / 3},
		{"an hour here, an hour there", func(visit, _ int) int { return visit / 6 % 2 }, 1.0 / 3},
		{"ten minutes each", func(visit, _ int) int { return visit % 2 }, 1.0 / 3},
	} {
		t.Run(way.name, func(t *testing.T) {
			f := newFleet(t, 2)
			f.days(10, way.replica)
			for _, p := range paces {
				whole, sum := f.merged(profile.KindCaller, p.name)
				compareCounts(t, &whole, &sum)
				compareSketches(t, f.whole, &whole, &sum)
				compareUsual(t, p.name, &whole, &sum, way.within)
			}
			whole, sum := f.merged(profile.KindAddress, "signs in")
			if a, b := whole.Crowd().SignIns, sum.Crowd().SignIns; a.Users != b.Users || a.Attempts != b.Attempts || a.Failures != b.Failures || a.Users[0].Estimate() == 0 {
				t.Errorf("sign-ins %+v, the whole's %+v", b, a)
			}
			compareRoutes(t, f)
		})
	}
}

func compareCounts(t *testing.T, whole, sum *profile.Record) {
	t.Helper()
	if sum.Requests != whole.Requests || sum.Accepted != whole.Accepted || sum.Open != whole.Open || sum.InFlight != whole.InFlight ||
		sum.Created != whole.Created || sum.LastSeen != whole.LastSeen || sum.Habits().LastAccepted != whole.Habits().LastAccepted {
		t.Errorf("%+v, the whole: %+v", sum.Header, whole.Header)
	}
	a, b := sum.Rings, whole.Rings
	a.Precedents, b.Precedents = [10]uint16{}, [10]uint16{}
	if a != b {
		t.Errorf("rings %+v, the whole's %+v", a, b)
	}
}

// compareSketches: what the whole remembers the sum does, and as often as it among
// others.
func compareSketches(t *testing.T, w *world, whole, sum *profile.Record) {
	t.Helper()
	a, b := whole.Habits(), sum.Habits()
	for id := range 30 {
		object := w.routes.Match([]byte("GET"), fmt.Appendf(nil, "/v1/orders/%d", id)).Object
		if a.Objects.Has(object) && !b.Objects.Has(object) {
			t.Errorf("order %d is not remembered", id)
		}
	}
	if b.Devices[0].ID != a.Devices[0].ID || b.Devices[0].Weight < a.Devices[0].Weight*0.99 {
		t.Errorf("devices %v, the whole's %v", b.Devices, a.Devices)
	}
	if n, m := a.Hours.Total(), b.Hours.Total(); m < n*0.95 || m > n*1.5 {
		t.Errorf("%v visits, the whole has %v", m, n)
	}
	x, y := window.SmallSlots(a.Endpoints[:]), window.SmallSlots(b.Endpoints[:])
	for _, s := range x {
		if share := s.Count() / x.Total(); math.Abs(y.Weight(s.ID)/y.Total()-share) > 0.05 {
			t.Errorf("route %d has %.2f of %v, of the whole's %.2f", s.ID, y.Weight(s.ID)/y.Total(), y, share)
		}
	}
	if sum.Tried.Routes != whole.Tried.Routes {
		t.Errorf("tried %x, the whole %x", sum.Tried.Routes, whole.Tried.Routes)
	}
}

func compareUsual(t *testing.T, name string, whole, sum *profile.Record, within float64) {
	t.Helper()
	counted := func(what string, a, b window.Moments, within float64) {
		t.Helper()
		t.Logf("%-7s %-12s n %6.0f %6.0f  mean %7.2f %7.2f  deviation %6.2f %6.2f", name, what, a.N, b.N, a.Mean, b.Mean, math.Sqrt(a.Var()), math.Sqrt(b.Var()))
		if d := float64(b.Mean-a.Mean) / float64(a.Mean); !(-within <= d && d <= 1.5*within) {
			t.Errorf("%s: %s are %.2f in the mean, the whole has %.2f", name, what, b.Mean, a.Mean)
		}
	}
	x, y := &whole.Baseline, &sum.Baseline
	counted("requests 1m", x.Requests1m, y.Requests1m, within)
	counted("requests 10m", x.Requests10m, y.Requests10m, within)
	counted("requests 1h", x.Requests1h, y.Requests1h, within)
	counted("errors 10m", x.Errors10m, y.Errors10m, within)
	for what, m := range map[string][2]window.Moments{
		"bytes 10m": {x.Bytes10m, y.Bytes10m}, "records 10m": {x.Records10m, y.Records10m},
		"bytes": {whole.Bytes.Y, sum.Bytes.Y}, "records": {whole.Records.Y, sum.Records.Y},
	} {
		a, b := m[0], m[1]
		deviation, off := math.Sqrt(a.Var()), 0.5
		if what == "bytes" || what == "records" {
			off = 0.1
		}
		if d := math.Abs(float64(b.Mean - a.Mean)); !(d <= off*deviation) || b.Var() < a.Var()/2 || b.Var() > 2.5*a.Var() {
			t.Errorf("%s: %s %.2f +- %.2f, the whole has %.2f +- %.2f", name, what, b.Mean, math.Sqrt(b.Var()), a.Mean, deviation)
		}
	}
}

// compareRoutes: every response taught one of them.
func compareRoutes(t *testing.T, f *fleet) {
	t.Helper()
	id := f.whole.routes.Match([]byte("GET"), []byte("/v1/orders/1")).ID
	read := func(w *world) profile.Record {
		rec, pin, ok := w.store.Find(routeKey(id))
		if !ok {
			t.Fatal("no route")
		}
		defer pin.Release()
		return *rec
	}
	a, b, whole := read(f.parts[0]), read(f.parts[1]), read(f.whole)
	sum := checkMerge(t, f.whole.scorer, &a, &b)
	p, q := whole.Population(), sum.Population()
	if sum.Requests != whole.Requests || q.LargestBytes != p.LargestBytes || math.Abs(float64(q.Bytes.Mean-p.Bytes.Mean)) > 0.1*math.Sqrt(p.Bytes.Var()) {
		t.Errorf("%+v of %d, the whole has %+v of %d", q, sum.Requests, p, whole.Requests)
	}
}

// Of eight replicas the whole is about as well known as of two.
func TestWholeOfEightReplicas(t *testing.T) {
	f := newFleet(t, 8)
	f.days(10, func(_, request int) int { return request % 8 })
	for _, p := range paces[1:] {
		var r Replicas
		for i, w := range f.parts {
			rec := w.record(profile.KindCaller, p.name)
			Number(&rec, rec.LastSeen)
			r.Take(uint64(i), &rec)
		}
		sum, _ := f.whole.scorer.Whole(&r)
		whole := f.whole.record(profile.KindCaller, p.name)
		f.whole.scorer.rollTo(&whole, sum.LastSeen)
		compareCounts(t, &whole, &sum)
		for _, m := range [][2]window.Moments{{whole.Baseline.Requests10m, sum.Baseline.Requests10m}, {whole.Baseline.Requests1h, sum.Baseline.Requests1h}} {
			t.Logf("%s: mean %.1f +- %.1f, the whole has %.1f +- %.1f", p.name, m[1].Mean, math.Sqrt(m[1].Var()), m[0].Mean, math.Sqrt(m[0].Var()))
			if d := math.Abs(float64(m[1].Mean/m[0].Mean) - 1); !(d < 1.0/3) {
				t.Errorf("%s: requests are %.1f in the mean, the whole has %.1f", p.name, m[1].Mean, m[0].Mean)
			}
		}
	}
}

// Slow means stay below the fast ones that they hold back, whatever merges.
func TestMergedAnchorsHoldBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chance := rapid.Float64Range(0, 1)
		w := windows{a: chance.Draw(t, "a"), b: chance.Draw(t, "b"), common: chance.Draw(t, "common")}
		usual := func(name string) (window.Moments, float32) {
			m := window.Moments{N: rapid.Float32Range(0.1, 5000).Draw(t, name+" n"), Mean: rapid.Float32Range(0.1, 40).Draw(t, name), M2: 1}
			return m, m.Mean * rapid.Float32Range(0.1, 1).Draw(t, name+" anchor")
		}
		for _, of := range []part{counted, measured, averaged} {
			m, slow := usual("one")
			o, other := usual("other")
			w.anchor(&slow, other, m, o, of)
			if w.moments(&m, o, of); slow > m.Mean*1.001 {
				t.Fatalf("the slow mean is %v, the fast %v", slow, m.Mean)
			}
		}
	})
}
