package scoring

import (
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Most is the most of each quantity that an entity has done and that was
// ordinary then (see precedent.go), to within 0.05 %. 0: nothing so far.
type Most struct {
	Requests1m, Requests10m, Requests1h float64
	NewObjects10m                       float64
	Bytes, Records                      float64 // in one response
	Bytes10m, Records10m                float64
}

// MostOf reads them from a record.
func MostOf(rec *profile.Record) Most {
	of := func(q quantity) float64 { return float64(window.Minifloat(rec.Rings.Precedents[q]).Decode()) }
	return Most{
		Requests1m: of(requests1m), Requests10m: of(requests10m), Requests1h: of(requests1h),
		NewObjects10m: of(new10m),
		Bytes:         of(oneBytes), Records: of(oneRecords),
		Bytes10m: of(tenBytes), Records10m: of(tenRecords),
	}
}
