package scoring

import (
	"math"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// unsteady is a caller that comes now and then and asks for one object or for
// thirty, so that what ten minutes hold together says little.
type unsteady struct {
	w     *world
	times float64 // of the usual size
	worst float64 // drift's score
	bulk  float64
}

func (u *unsteady) day() {
	w := u.w
	midnight := w.now.Truncate(24 * time.Hour)
	for h := range 8 {
		w.now = midnight.Add(time.Duration(9+h) * time.Hour)
		for range int(math.Exp2(5 * w.rng.Float64())) {
			w.now = w.now.Add(10 * time.Second)
			size := int64(u.times * 1500 * math.Exp2(.4*w.rng.NormFloat64()))
			ex := w.do(call{caller: "unsteady", path: "/v1/orders/17", bytes: size, records: 1})
			for _, e := range ex.Assessment.Evidence {
				switch e.Detector {
				case Drift:
					u.worst = max(u.worst, e.raw*log10of2)
				case Bulk:
					u.bulk = max(u.bulk, e.raw*log10of2)
				}
			}
			w.do(call{caller: "another", path: "/v1/orders/18", bytes: int64(1500 * math.Exp2(.4*w.rng.NormFloat64())), records: 1})
		}
	}
	w.now = midnight.Add(24 * time.Hour)
}

// Responses of twice the usual size are found, where ten minutes' sums vary too
// much to tell; and nothing where they are as they were.
func TestDriftFindsWhatSumsHide(t *testing.T) {
	u := &unsteady{w: newWorld(t), times: 1}
	for range 14 {
		u.day()
	}
	if u.worst > 3 {
		t.Errorf("as usual for a fortnight, and drift says %.1f", u.worst)
	}
	u.times, u.bulk = 2, 0
	for range 5 {
		u.day()
	}
	if u.worst < 4 || u.bulk > 3 {
		t.Errorf("twice as large for five days: drift says %.1f, ten minutes' sums %.1f", u.worst, u.bulk)
	}
}

// Who grows slowly moves what is typical no faster than an anchor, and hardly
// widens it.
func TestTypicalIsHeld(t *testing.T) {
	u := &unsteady{w: newWorld(t), times: 1}
	for range 14 {
		u.day()
	}
	rec := u.w.record(profile.KindCaller, "unsteady")
	mean, spread := float64(rec.Habits().Typical.Mean)*typicalUnit, typicalSpread(rec.Habits())
	const days = 20
	for range days {
		u.times *= 1.2
		u.day()
	}
	rec = u.w.record(profile.KindCaller, "unsteady")
	moved, wider := float64(rec.Habits().Typical.Mean)*typicalUnit-mean, typicalSpread(rec.Habits())/spread
	if moved > (days+1)*anchorSpeed*spread*1.3 || wider > 1.3 {
		t.Errorf("in %d days it moved by %.2f of its spread, which is %.2f times what it was", days, moved/spread, wider)
	}
	if u.worst < 4 {
		t.Errorf("a fifth more each day, and drift says %.1f", u.worst)
	}
}

// A record that was written before anything was typical has the CUSUM that
// was there then: it is no drift.
func TestDriftOfAnOldRecord(t *testing.T) {
	w := newWorld(t)
	u := &unsteady{w: w, times: 1}
	for range 8 {
		u.day()
	}
	rec, pin, _ := w.store.Find(keyOf(profile.KindCaller, "unsteady"))
	rec.Bytes.Lately, rec.Records.Lately = 24, 24
	rec.Habits().Typical, rec.Habits().TypicalVar = profile.Typical{}, 0
	pin.Release()
	u.worst = 0
	u.day()
	if u.worst > 0 {
		t.Errorf("drift says %.1f", u.worst)
	}
	if r := w.record(profile.KindCaller, "unsteady"); r.Bytes.Lately != 0 {
		t.Errorf("it remembers %v", r.Bytes.Lately)
	}
}
