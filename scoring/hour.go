package scoring

import "github.com/wonted-project/wonted/scoring/window"

// hour: it is active at an hour of the day at which it seldom or never is.
//
// One visit an active hour is learned, when the hour closes. The other kind of
// day (weekday, weekend) counts half: five weekdays say something about a Saturday, less than a
// Saturday would.
type hour struct{}

const (
	hourPrior  = 1.0  // visits that the cohort, which comes at any hour, is worth
	hourSeldom = 0.05 // as p: an hour that is new for a take-over
)

func (hour) judge(l *look) {
	if !l.mature {
		return
	}
	sc := l.ex.scratch
	p, share := hourTail(&l.habits.Hours, sc.hour, sc.weekend)
	unit := "hour of a weekday"
	if sc.weekend {
		unit = "hour of a weekend"
	}
	l.find(Evidence{Detector: Hour, Unit: unit, Bits: bitsOf(p), Observed: float64(sc.hour), Expected: share})
	if p <= hourSeldom {
		l.context.hour = p
	}
}

func (hour) learn(*look, float64) {}

// hourTail is the chance that a visit falls into an hour no commoner than this
// one, and the share of visits in this one. Hours are smoothed around the
// clock, [1/4, 1/2, 1/4]: nobody comes on the stroke.
func hourTail(h *window.Hours, hour int, weekend bool) (p, share float64) {
	own, other := &h.Cells[0], &h.Cells[1]
	if weekend {
		own, other = other, own
	}
	var cells [26]int32 // the hours with a neighbour at either end, in halves of a visit's cell
	total := int32(0)
	for i := range own {
		cells[i+1] = 2*int32(own[i]) + int32(other[i])
		total += 4 * cells[i+1]
	}
	cells[0], cells[25] = cells[24], cells[1]
	mass := func(i int) int32 { return cells[i] + 2*cells[i+1] + cells[i+2] } // in eighths
	at := mass(hour)
	rarer, hours := int32(0), int32(0)
	for i := range 24 {
		// 1 where m is no more than at, else 0: which it is, no branch predicts.
		m := mass(i)
		no := int32(uint32(m-at-1) >> 31)
		rarer += m * no
		hours += no
	}
	unit := finite(h.Scale, 0, 1e9) / 8
	p = (float64(rarer)*unit + hourPrior*float64(hours)/24) / (float64(total)*unit + hourPrior)
	return min(p, 1), float64(at) / float64(max(total, 1))
}
