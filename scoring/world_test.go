package scoring

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
	"github.com/wonted-project/wonted/scoring/window"
)

// world plays exchanges through a Scorer on synthetic time.
type world struct {
	t      testing.TB
	store  *profile.Store
	routes *route.Table
	scorer *Scorer
	now    time.Time
	rng    *rand.Rand

	country              string // of everybody who says none; empty: not known
	exchanges, anomalous int
}

// monday is when worlds begin.
var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func newWorld(t testing.TB) *world {
	w := &world{t: t, store: profile.New(profile.Config{Memory: 16 << 20}), routes: route.New(), now: monday, rng: rand.New(rand.NewPCG(1, 2))}
	t.Cleanup(w.store.Close)
	w.scorer = New(Config{Store: w.store, Routes: w.routes})
	return w
}

// call is one exchange in short.
type call struct {
	caller, session, credential, address, network, device string
	companion, country                                    string
	user                                                  string // whom it tries to sign in
	method, path                                          string
	status                                                int // 0: 200
	bytes, records                                        int64
	end                                                   End // 0: Answered; none: -
	took                                                  time.Duration
}

func keyOf(kind profile.Kind, name string) profile.Key {
	h := xxh3.HashString128(kind.String() + "/" + name)
	return profile.Key{Hi: h.Hi, Lo: h.Lo}
}

func (c call) fill(ex *Exchange, now time.Time) {
	ex.Reset()
	ex.Time = now
	ex.Method, ex.Path = []byte(c.method), []byte(c.path)
	if c.method == "" {
		ex.Method = []byte("GET")
	}
	for kind, name := range map[profile.Kind]string{
		profile.KindCaller: c.caller, profile.KindSession: c.session, profile.KindCredential: c.credential,
		profile.KindAddress: c.address, profile.KindNetwork: c.network, profile.KindDevice: c.device,
	} {
		if name != "" {
			ex.Entities[kind] = Identity{Kind: kind, Key: keyOf(kind, name), Name: []byte(name)}
		}
	}
	if c.companion != "" {
		ex.Companion = keyOf(profile.KindCaller, c.companion)
	}
	ex.Country = []byte(c.country)
	ex.ResponseBytes, ex.Records = -1, -1
}

// do plays the exchange from request to end and returns it for inspection.
func (w *world) do(c call) *Exchange {
	ex := w.begin(c)
	w.finish(ex, c)
	return ex
}

func (w *world) begin(c call) *Exchange {
	ex := &Exchange{}
	if c.country == "" {
		c.country = w.country
	}
	c.fill(ex, w.now)
	w.scorer.Begin(ex)
	if c.user != "" {
		ex.SignIn = SignIn{User: keyOf(profile.KindUser, c.user), Success: Statuses{100, 399}}
		w.scorer.Attempt(ex)
	}
	return ex
}

func (w *world) finish(ex *Exchange, c call) {
	ex.Status, ex.ResponseBytes, ex.Records = c.status, c.bytes, c.records
	if c.status == 0 {
		ex.Status = 200
	}
	end := c.end
	if end == Unknown {
		end = Answered
	}
	w.scorer.Answer(ex, w.now)
	w.scorer.Complete(ex, end, w.now.Add(c.took))
	w.exchanges++
	if ex.Assessment.Anomalous {
		w.anomalous++
	}
}

// record reads a record as it stands.
func (w *world) record(kind profile.Kind, name string) profile.Record {
	rec, pin, ok := w.store.Find(keyOf(kind, name))
	if !ok {
		w.t.Fatalf("no %v %q", kind, name)
	}
	defer pin.Release()
	return *rec
}

// customer works at an office: visits in most hours from nine to five, lists
// of ten records and some orders.
type customer struct {
	name  string
	order int
}

func (c *customer) base() call {
	return call{caller: c.name, credential: c.name, address: c.name, network: c.name, device: c.name + " desk"}
}

// visit plays one visit of some minutes from w.now.
func (w *world) visit(c *customer) {
	for range 8 + w.rng.IntN(10) {
		w.now = w.now.Add(time.Duration(4+w.rng.IntN(36)) * time.Second)
		list := c.base()
		list.path, list.records, list.bytes = "/v1/orders?limit=10", 10, 1900+int64(w.rng.IntN(300))
		w.do(list)
		for range w.rng.IntN(3) {
			w.now = w.now.Add(time.Duration(3+w.rng.IntN(12)) * time.Second)
			one := c.base()
			if c.order == 0 || w.rng.IntN(10) < 4 {
				c.order++
			}
			one.path = fmt.Sprintf("/v1/orders/%d", 1000+c.order-w.rng.IntN(min(c.order, 5)))
			one.records, one.bytes = 1, 180+int64(w.rng.IntN(40))
			w.do(one)
		}
	}
}

// days lets the customers work for n days, weekend included, and stops at
// midnight.
func (w *world) days(n int, customers ...*customer) {
	for range n {
		morning := w.now
		for h := 9; h < 17; h++ {
			for _, c := range customers {
				if w.rng.IntN(5) == 0 {
					continue
				}
				w.now = morning.Add(time.Duration(h)*time.Hour + time.Duration(w.rng.IntN(1500))*time.Second)
				w.visit(c)
			}
		}
		w.now = morning.Add(24 * time.Hour)
	}
}

func find(ex *Exchange, d Detector) *Evidence {
	for i := range ex.Assessment.Evidence {
		if ex.Assessment.Evidence[i].Detector == d {
			return &ex.Assessment.Evidence[i]
		}
	}
	return nil
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// sumValues is what a ring of minifloats holds.
func sumValues(ring []uint16) (sum uint64) {
	for _, v := range ring {
		sum += window.Minifloat(v).Decode()
	}
	return sum
}
