package scoring

import (
	"fmt"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// full is an exchange with all six entities of a record-bearing kind.
func full(i int) call {
	who := fmt.Sprint("caller ", i)
	return call{caller: who, credential: who, session: who, address: who, network: fmt.Sprint("network ", i/8), device: fmt.Sprint("device ", i%16),
		path: "/v1/orders/17", country: "de", bytes: 1900, records: 10}
}

// round is one exchange from request to end, as the carrier drives it.
func (w *world) round(ex *Exchange, now time.Time) {
	ex.Time = now
	ex.Status, ex.ResponseBytes, ex.Records = 0, -1, -1
	w.scorer.Begin(ex)
	ex.Status = 200
	w.scorer.Answer(ex, now)
	ex.ResponseBytes, ex.Records = 1900, 10
	w.scorer.Meter(ex, now)
	w.scorer.Complete(ex, Answered, now)
}

func TestScoringAllocatesNothing(t *testing.T) {
	w := newWorld(t)
	ex := &Exchange{}
	full(1).fill(ex, monday)
	ex.Companion = keyOf(profile.KindCaller, "partner")
	now := monday
	for range 5000 { // mature, with all that makes the judges work
		now = now.Add(10 * time.Minute)
		w.round(ex, now)
	}
	if !ex.Assessment.Mature || ex.Assessment.Usual.Records == 0 {
		t.Fatalf("not mature: %+v", ex.Assessment)
	}
	n := testing.AllocsPerRun(500, func() {
		now = now.Add(7 * time.Second)
		w.round(ex, now)
	})
	if n != 0 {
		t.Errorf("%v allocations an exchange", n)
	}
	// The odd is no dearer: a stranger in the night who takes all there is.
	ex.Entities[profile.KindDevice].Key, ex.Entities[profile.KindNetwork].Key = keyOf(profile.KindDevice, "x"), keyOf(profile.KindNetwork, "x")
	n = testing.AllocsPerRun(500, func() {
		ex.Time = now
		w.scorer.Begin(ex)
		ex.Status, ex.ResponseBytes, ex.Records = 200, 1<<30, 1<<20
		w.scorer.Meter(ex, now)
		ex.Status = 404
		w.scorer.Answer(ex, now)
		w.scorer.Complete(ex, Truncated, now)
	})
	if n != 0 || !ex.Assessment.Anomalous || len(ex.Assessment.Evidence) == 0 {
		t.Errorf("%v allocations an anomalous exchange, score %.1f", n, ex.Assessment.Score)
	}
}

// Six entities in their usual pace of two requests a minute, buckets closing on
// the way: one caller again and again ("hot"), or two hundred by turns, whose
// records fit no second-level cache ("cold").
func BenchmarkBeginComplete(b *testing.B) {
	for _, callers := range []int{1, 200} {
		b.Run(map[bool]string{true: "hot", false: "cold"}[callers == 1], func(b *testing.B) {
			w := newWorld(b)
			exchanges := make([]*Exchange, callers)
			for i := range exchanges {
				exchanges[i] = &Exchange{}
				full(i).fill(exchanges[i], monday)
			}
			i, now, pause := 0, monday, 30*time.Second/time.Duration(callers)
			next := func() {
				ex := exchanges[i%callers]
				i++
				now = now.Add(pause)
				ex.Time = now
				ex.Status, ex.ResponseBytes, ex.Records = 200, 1900, 10
				w.scorer.Begin(ex)
				w.scorer.Complete(ex, Answered, now)
			}
			for now.Before(monday.Add(36 * time.Hour)) {
				next()
			}
			if a := exchanges[0].Assessment; !a.Mature || a.Anomalous {
				b.Fatalf("%+v", a)
			}
			b.ReportAllocs()
			for b.Loop() {
				next()
			}
		})
	}
}
