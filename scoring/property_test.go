package scoring

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// sound: everything in an assessment is a number within its bounds.
func sound(t testing.TB, ex *Exchange) {
	t.Helper()
	a := &ex.Assessment
	number := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	if !number(a.Score) || a.Score < 0 || a.Score > 12 || !number(a.Threshold) || a.Anomalous != (a.Score >= a.Threshold) ||
		a.Age < 0 || a.Usual.Bytes < 0 || a.Usual.Records < 0 || len(a.Evidence) > MaxEvidence {
		t.Fatalf("%+v", *a)
	}
	for i := range a.Evidence {
		e := &a.Evidence[i]
		if !number(e.Bits) || !number(e.Observed) || !number(e.Expected) || e.Score < worthTelling || e.Score > 12 || e.Unit == "" || e.Summary() == "" {
			t.Fatalf("%+v: %s", *e, e.Summary())
		}
		if i > 0 && a.Evidence[i-1].less(e) {
			t.Fatal("evidence out of order")
		}
	}
}

// scramble fills a record's fields, at every depth, with random bits: floats
// become NaN, infinite and denormal.
func scramble(v reflect.Value, rng *rand.Rand) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				scramble(v.Field(i), rng)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			scramble(v.Index(i), rng)
		}
	case reflect.Float32:
		special := []float32{0, 1, -1, 1e38, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.Float32frombits(rng.Uint32())}
		v.Set(reflect.ValueOf(special[rng.IntN(len(special))]))
	case reflect.Int16:
		v.SetInt(int64(int16(rng.Uint32())))
	default:
		v.SetUint(rng.Uint64() >> (64 - v.Type().Bits()))
	}
}

// Whatever the records hold, of every kind, scoring goes on: no panic, no NaN, and
// learning heals them.
func TestAnyRecordScores(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	w := newWorld(t)
	w.do(full(1))
	signs := full(1)
	signs.method, signs.path, signs.user = "POST", "/v1/login", "alice"
	w.do(signs)
	w.do(signs) // the route is known, and has a record
	for range 2000 {
		kinds := map[profile.Kind]bool{}
		w.store.Range(func(rec *profile.Record) bool {
			header := rec.Header
			scramble(reflect.ValueOf(rec).Elem(), rng)
			switch {
			case header.Kind == profile.KindRoute:
				scramble(reflect.ValueOf(rec.Population()).Elem(), rng)
			case habitual(header.Kind):
				scramble(reflect.ValueOf(rec.Habits()).Elem(), rng)
			default:
				scramble(reflect.ValueOf(rec.Crowd()).Elem(), rng)
			}
			rec.Key, rec.Version, rec.Kind, rec.Generation = header.Key, header.Version, header.Kind, header.Generation
			kinds[rec.Kind] = true
			return true
		})
		if len(kinds) != profile.KindCount-1 {
			t.Fatalf("only records of %v", kinds)
		}
		w.now = w.now.Add(time.Duration(rng.IntN(8000)) * time.Second)
		c := []call{full(1), signs}[rng.IntN(2)]
		ex := w.begin(c)
		sound(t, ex)
		ex.Status, ex.ResponseBytes, ex.Records = []int{200, 401, 404, 503}[rng.IntN(4)], rng.Int64(), rng.Int64()
		w.scorer.Meter(ex, w.now)
		sound(t, ex)
		w.scorer.Complete(ex, Answered, w.now.Add(time.Second))
		sound(t, ex)
	}
}

// More requests, more objects, more bytes, more records: never less surprise.
func TestSurpriseIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := window.Moments{
			N:    rapid.Float32Range(0, 5000).Draw(t, "n"),
			Mean: rapid.Float32Range(0, 2000).Draw(t, "mean"),
			M2:   rapid.Float32Range(0, 1e9).Draw(t, "m2"),
		}
		p := rapid.SampledFrom([]countPrior{habits.requests1m, habits.requests1h, habits.new10m, habits.companions10m, habits.errors10m, crowd.requests10m}).Draw(t, "prior")
		anchor := rapid.SampledFrom([]float64{0, 0.5, 40}).Draw(t, "anchor")
		var held precedents
		held.most[new10m] = window.Encode(rapid.Uint64Range(0, 100).Draw(t, "precedent"))
		held.free = rapid.Bool().Draw(t, "free")
		q := predictive{
			center: rapid.Float64Range(0, 30).Draw(t, "center"), scale: rapid.Float64Range(0.5, 5).Draw(t, "scale"),
			nu: rapid.Float64Range(3, 8).Draw(t, "nu"), confidence: rapid.Float64Range(0, 1).Draw(t, "confidence"),
		}
		count, volume := 0.0, 0.0
		for k := range 400 {
			v := float64(k * k)
			bits, _ := p.bits(v, &m, anchor)
			bits = held.hold(new10m, v, bits)
			size := q.bits(v * v * v)
			if bits < count || size < volume || math.IsNaN(bits) || math.IsNaN(size) {
				t.Fatalf("at %v: %v bits after %v, %v after %v", v, bits, count, size, volume)
			}
			count, volume = bits, size
		}
	})
}

// Whoever takes more in one response, in bytes or records, and whoever asks more
// often, for more objects, on more routes in vain, or fails with more names, is
// never found less odd for it, by any detector of amounts.
func TestMoreIsNeverLessOdd(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(8, acme, &customer{name: "brix"})
	w.now = w.now.Add(11 * time.Hour)
	var last calibrate.Surprises
	begin := func() { last = calibrate.Surprises{} }
	more := func(what string, ex *Exchange, of ...Detector) {
		t.Helper()
		found := &ex.scratch.findings.surprises
		for _, d := range of {
			if found.Raw[d] < last.Raw[d] || found.Held[d] < last.Held[d] {
				t.Fatalf("%s: %v has %.3f bits (held %.3f) after %.3f (%.3f)", what, d, found.Raw[d], found.Held[d], last.Raw[d], last.Held[d])
			}
		}
		last = *found
	}
	odd := func(what string, of ...Detector) {
		t.Helper()
		for _, d := range of {
			if last.Raw[d] <= subdued {
				t.Errorf("%s: in the end %v has %.2f bits", what, d, last.Raw[d])
			}
		}
	}
	list := acme.base()
	list.path = "/v1/orders?limit=10"

	for _, unit := range []string{"bytes", "records", "both"} {
		begin()
		ex := w.begin(list)
		for v := int64(1); v < 1<<62; v += v/7 + 1 {
			ex.Status, ex.ResponseBytes, ex.Records = 200, -1, -1
			if unit != "records" {
				ex.ResponseBytes = v
			}
			if unit != "bytes" {
				ex.Records = v
			}
			w.scorer.Meter(ex, w.now)
			more(unit, ex, Volume, Bulk, Drift)
		}
		odd(unit, Volume, Bulk)
		w.scorer.Complete(ex, Unknown, w.now)
	}
	begin()
	for range 3000 {
		more("requests at once", w.begin(list), Rate)
	}
	odd("requests at once", Rate)

	w.now = w.now.Add(24 * time.Hour)
	begin()
	for i := range 300 {
		c := acme.base()
		c.path = fmt.Sprintf("/v1/orders/%d", 500_000+7919*i)
		if ex := w.begin(c); ex.scratch.entities[profile.KindCaller].newObject { // else a filter takes it for one it has
			more("objects", ex, NewObjects)
		}
	}
	odd("objects", NewObjects)

	w.now = w.now.Add(24 * time.Hour)
	begin()
	for i := range 60 {
		c := acme.base()
		c.path, c.status, c.bytes = "/guess"+letters(i), 404, 90
		more("guesses", w.do(c), Recon, Errors)
	}
	odd("guesses", Recon)

	w.now = w.now.Add(24 * time.Hour)
	begin()
	for i := range 100 {
		more("names", w.signIn(fmt.Sprint("user ", i), "list", "list", "list", 401), Stuffing)
	}
	odd("names", Stuffing)
}
