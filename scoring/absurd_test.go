package scoring

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
)

// absurd draws what no sane client, proxy or clock would send: names and paths of
// 64 KB, a thousand segments, sizes beyond all sense, times that jump and repeat,
// ends that are none.
type absurd struct{ rng *rand.Rand }

func (a absurd) bytes() []byte {
	b := make([]byte, []int{0, 1, 7, 40, 300, 64 << 10}[a.rng.IntN(6)])
	for i := range b {
		b[i] = byte(a.rng.Uint32())
	}
	return b
}

func (a absurd) path() []byte {
	switch a.rng.IntN(4) {
	case 0:
		return a.bytes()
	case 1:
		return bytes.Repeat([]byte("/a"+letters(a.rng.IntN(600))), 1000)
	case 2:
		return append([]byte("/v1/orders/"), bytes.Repeat([]byte("9"), 64<<10)...)
	}
	return []byte("/" + letters(a.rng.IntN(600)) + "/" + letters(a.rng.IntN(600)) + "?" + letters(a.rng.IntN(600)))
}

func (a absurd) number() int64 {
	return []int64{0, -1, 1, 1900, math.MaxInt64, math.MinInt64, int64(a.rng.Uint64())}[a.rng.IntN(7)]
}

func (a absurd) exchange(ex *Exchange, now time.Time) {
	ex.Reset()
	ex.Time, ex.Method, ex.Path, ex.Country = now, a.bytes(), a.path(), a.bytes()
	if a.rng.IntN(2) == 0 {
		ex.Method = []byte("POST")
	}
	for kind := profile.KindCaller; kind <= profile.KindDevice; kind++ {
		if a.rng.IntN(4) > 0 { // one that comes again and again, one of a few, or one that was invented
			key := profile.Key{Hi: uint64(kind), Lo: a.rng.Uint64() >> []int{0, 60, 64}[a.rng.IntN(3)]}
			ex.Entities[kind] = Identity{Kind: kind, Key: key, Name: a.bytes(), Verified: a.rng.IntN(2) == 0}
		}
	}
	ex.Companion = profile.Key{Lo: a.rng.Uint64() >> a.rng.IntN(65)}
	ex.RequestBytes = a.number()
	ex.ResponseBytes, ex.Records = -1, -1
	if a.rng.IntN(3) == 0 {
		ex.SignIn = SignIn{User: profile.Key{Lo: a.rng.Uint64() >> a.rng.IntN(65)}, Success: Statuses{int(a.number()), int(a.number())}}
	}
}

// Whatever comes is judged soundly, in memory that is bounded, and counted.
func TestAbsurdExchanges(t *testing.T) {
	memory := profile.Bytes(16 << 20)
	w := newWorld(t)
	w.store = profile.New(profile.Config{Memory: memory})
	t.Cleanup(w.store.Close)
	peers := calibrate.New(Calibration(calibrate.Budget{PerIdentityDay: 0.001, PerDay: 50}))
	w.scorer = New(Config{Store: w.store, Routes: w.routes, Calibrator: peers})
	a := absurd{rand.New(rand.NewPCG(11, 12))}
	jumps := []time.Duration{0, 0, 0, time.Nanosecond, time.Second, -time.Second, time.Minute, 11 * time.Minute, -2 * time.Hour, 25 * time.Hour, -400 * 24 * time.Hour, 400 * 24 * time.Hour}
	const n = 10_000
	exchanges := [8]*Exchange{}
	for i := range n {
		w.now = w.now.Add(jumps[a.rng.IntN(len(jumps))])
		at := a.rng.IntN(len(exchanges)) // several are under way, and end in any order
		ex := exchanges[at]
		if ex != nil {
			ex.Status, ex.ResponseBytes, ex.Records = int(a.number()), a.number(), a.number()
			if a.rng.IntN(2) == 0 {
				ex.Status = []int{200, 204, 304, 401, 404, 503}[a.rng.IntN(6)]
			}
			w.scorer.Answer(ex, w.now)
			sound(t, ex)
			ex.ResponseBytes, ex.Duration = a.number(), time.Duration(a.number())
			w.scorer.Meter(ex, w.now)
			sound(t, ex)
			w.scorer.Complete(ex, End(a.rng.IntN(256)), w.now.Add(time.Duration(a.rng.IntN(7200)-3600)*time.Second))
			sound(t, ex)
		} else {
			ex = &Exchange{}
			exchanges[at] = ex
		}
		a.exchange(ex, w.now)
		w.scorer.Begin(ex)
		sound(t, ex)
		w.scorer.Attempt(ex)
		sound(t, ex)
		if i == n/2 && w.routes.Len() == 0 {
			t.Error("no route was ever learned")
		}
	}
	st := w.store.Stats()
	if st.Bytes > memory || w.routes.Len() > route.MaxRoutes || st.Created < n/4 || st.Total == 0 {
		t.Errorf("%d routes, %+v", w.routes.Len(), st)
	}
	w.store.Range(func(rec *profile.Record) bool {
		var again profile.Record
		if err := profile.Decode(profile.Encode(nil, rec), &again); err != nil {
			t.Errorf("%v: %v", rec.Kind, err)
			return false
		}
		if again != *rec {
			t.Errorf("Decode has to mend a %v:\n%+v\n%+v", rec.Kind, rec, again)
			return false
		}
		return true
	})
	if ps := peers.Stats(); math.IsNaN(ps.MeanE) || math.IsInf(ps.MeanE, 0) {
		t.Errorf("%+v", ps)
	}
}
