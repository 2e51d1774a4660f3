package scoring

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

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
	default:
		v.SetUint(rng.Uint64() >> (64 - v.Type().Bits()))
	}
}

// Whatever a record holds, scoring goes on: no panic, no NaN, and learning
// heals it.
func TestAnyRecordScores(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	w := newWorld(t)
	c := full(1)
	w.do(c)
	for range 2000 {
		for _, kind := range []profile.Kind{profile.KindCaller, profile.KindAddress, profile.KindRoute} {
			key := keyOf(kind, c.caller) // the address has the same name
			if kind == profile.KindRoute {
				key = routeKey(w.routes.Match([]byte("GET"), []byte(c.path)).ID)
			}
			rec, pin, ok := w.store.Find(key)
			if !ok {
				t.Fatalf("no %v", kind)
			}
			header := rec.Header
			scramble(reflect.ValueOf(rec).Elem(), rng)
			if kind == profile.KindCaller {
				scramble(reflect.ValueOf(rec.Habits()).Elem(), rng)
			}
			if kind == profile.KindRoute {
				scramble(reflect.ValueOf(rec.Population()).Elem(), rng)
			}
			rec.Key, rec.Version, rec.Kind, rec.Generation = header.Key, header.Version, header.Kind, header.Generation
			pin.Release()
		}
		w.now = w.now.Add(time.Duration(rng.IntN(8000)) * time.Second)
		ex := w.begin(c)
		sound(t, ex)
		ex.Status, ex.ResponseBytes, ex.Records = 200, rng.Int64(), rng.Int64()
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
		mature := rapid.Bool().Draw(t, "mature")
		q := predictive{
			center: rapid.Float64Range(0, 30).Draw(t, "center"), scale: rapid.Float64Range(0.5, 5).Draw(t, "scale"),
			nu: rapid.Float64Range(3, 8).Draw(t, "nu"), confidence: rapid.Float64Range(0, 1).Draw(t, "confidence"),
		}
		count, volume := 0.0, 0.0
		for k := range 400 {
			v := float64(k * k)
			bits, _ := p.bits(v, &m, anchor)
			bits = held.hold(new10m, v, bits, mature)
			size := q.bits(v * v * v)
			if bits < count || size < volume || math.IsNaN(bits) || math.IsNaN(size) {
				t.Fatalf("at %v: %v bits after %v, %v after %v", v, bits, count, size, volume)
			}
			count, volume = bits, size
		}
	})
}

// Where the world is as the model says, a surprise of -log2 p is found at most
// in a share p of the windows: the learned baseline does not overclaim.
func TestSuperUniformUnderTheModel(t *testing.T) {
	levels := []float64{1e-2, 1e-3, 1e-4, 1e-5}
	check := func(name string, n int, surprise func() float64) {
		t.Helper()
		over, e := make([]int, len(levels)), 0.0
		for range n {
			bits := surprise()
			e += math.Exp2(bits/2) / 2 / float64(n)
			for i, p := range levels {
				if bits >= -math.Log2(p) {
					over[i]++
				}
			}
		}
		for i, p := range levels {
			// Three standard deviations of the count itself, and half as much
			// again for what a baseline of finite memory does not know.
			allowed := 1.5*p*float64(n) + 3*math.Sqrt(p*float64(n))
			if float64(over[i]) > allowed {
				t.Errorf("%s: %d of %d windows beyond p = %g, at most %.0f would do", name, over[i], n, p, allowed)
			}
		}
		// What p-values become before they are averaged, e = 1/2 p^-1/2, may be
		// 1 in the mean: the other half of the same claim, and nearly all of it
		// comes from the middle, where no level is tested.
		if !(e <= 1.05) {
			t.Errorf("%s: the mean e-value is %.3f, at most 1.05 would do", name, e)
		}
		t.Logf("%s: beyond 1e-2 to 1e-5 in %v of %d windows, mean e-value %.2f", name, over, n, e)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	const windows = 300_000
	counts := func(name string, p countPrior, mean, r, decay float64) {
		var m window.Moments
		draw := func() float64 { return poisson(rng, gamma(rng, r)*mean/r) }
		for range 500 {
			learnMoment(&m, draw(), 1, decay)
		}
		check(name, windows, func() float64 {
			k := draw()
			bits, _ := p.bits(k, &m, 0)
			learnMoment(&m, k, 1, decay)
			return bits
		})
	}
	counts("rate of a regular caller", habits.requests1m, 12, 1, decay1m)
	counts("rate of a bursty caller", habits.requests10m, 40, 0.5, decay10m)
	counts("rate of a rare caller", habits.requests10m, 1.5, 2, decay10m)
	counts("errors of a client that makes none", habits.errors10m, 0.02, 1, decay10m)
	counts("errors of a client that makes many", habits.errors10m, 12, 0.5, decay10m)
	counts("new objects", habits.new10m, 3, 6, decay10m)
	counts("new objects of a crawler", habits.new10m, 60, 3, decay10m)

	l := &look{cohort: &habits, mature: false}
	var residual profile.Residual
	scale := routeScale{mu: 10, sigma: 1}
	draw := func() float64 { return scale.mu + 0.8*rng.NormFloat64() - 0.3 }
	for range 500 {
		learnMoment(&residual.Y, draw()-scale.mu, 1, decayResponse)
	}
	check("volume", windows, func() float64 {
		x := draw()
		q := l.response(&residual, scale)
		bits := q.bits(math.Exp2(x) - 1)
		learnMoment(&residual.Y, x-scale.mu, 1, decayResponse)
		return bits
	})

	// A take-over by chance: device, network and hour new independently.
	check("takeover", windows, func() float64 {
		p := [3]float64{0.01, 0.02, 0.04}
		var fresh []float64
		for _, p := range p {
			if rng.Float64() < p {
				fresh = append(fresh, p)
			}
		}
		return bitsOf(jointly(fresh))
	})
}

// gamma draws from Gamma(shape, 1) (Marsaglia and Tsang 2000).
func gamma(rng *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(rng, shape+1) * math.Pow(rng.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	for {
		x := rng.NormFloat64()
		v := 1 + x/math.Sqrt(9*d)
		if v > 0 && math.Log(rng.Float64()) < 0.5*x*x+d-d*v*v*v+d*math.Log(v*v*v) {
			return d * v * v * v
		}
	}
}

// poisson counts exponential waits.
func poisson(rng *rand.Rand, mean float64) float64 {
	n := 0.0
	for at := rng.ExpFloat64(); at < mean; at += rng.ExpFloat64() {
		n++
	}
	return n
}
