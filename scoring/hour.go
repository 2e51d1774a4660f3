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
	p, share := hourTail(&l.habits.Hours, l.hour, l.weekend)
	unit := "hour of a weekday"
	if l.weekend {
		unit = "hour of a weekend"
	}
	l.find(Evidence{Detector: Hour, Unit: unit, Bits: bitsOf(p), Observed: float64(l.hour), Expected: share})
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
	var mass [24]int // in eighths of a visit's cell
	total := 0
	for i := range mass {
		before, after := (i+23)%24, (i+1)%24
		m := 2*(int(own[before])+2*int(own[i])+int(own[after])) +
			int(other[before]) + 2*int(other[i]) + int(other[after])
		mass[i] = m
		total += m
	}
	rarer, hours := 0, 0
	for _, m := range mass {
		if m <= mass[hour] {
			rarer += m
			hours++
		}
	}
	unit := finite(h.Scale, 0, 1e9) / 8
	p = (float64(rarer)*unit + hourPrior*float64(hours)/24) / (float64(total)*unit + hourPrior)
	return min(p, 1), float64(mass[hour]) / float64(max(total, 1))
}
