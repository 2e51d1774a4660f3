package scoring

import "github.com/wonted-project/wonted/scoring/window"

// hour: it is active at an hour of the day at which it seldom or never is.
//
// One visit an active hour is learned, when the hour closes. The other kind of
// day counts half: five weekdays say something about a Saturday, less than a
// Saturday would.
type hour struct{}

const (
	otherDay   = 0.5
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
// one, and the share of visits in this one.
func hourTail(h *window.Hours, hour int, weekend bool) (p, share float64) {
	var mass [24]float64
	total := 0.0
	for i := range mass {
		v := h.Smoothed(i, weekend) + otherDay*h.Smoothed(i, !weekend)
		if !(v > 0 && v < 1e9) { // a scale that is no number
			v = 0
		}
		mass[i] = v
		total += v
	}
	here, rarer, hours := mass[hour], 0.0, 0.0
	for _, v := range mass {
		if v <= here {
			rarer += v
			hours++
		}
	}
	return min((rarer+hourPrior*hours/24)/(total+hourPrior), 1), here / max(total, 1)
}
