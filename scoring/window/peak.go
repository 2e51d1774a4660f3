package window

// Peak is the most that a quantity came to, 8 bytes. It fades slowly, so that
// one freak does not stand for ever, and only while it is watched: a day
// without an observation takes nothing away.
type Peak struct {
	Most float32 // in doublings, log2(1+v)
	Day  uint16  // of the last observation, days since the epoch mod 65536
	N    uint16  // observations so far; stays at 65535
}

// peakFade is what a day with observations takes from the peak: a doubling in a
// week, so ten records stand as more than one for 17 such days.
const peakFade = 1.0 / 7

// Observe takes in x, which is log2(1+v) of a v >= 0, on the given day.
func (p *Peak) Observe(x float64, day uint16) {
	if p.Day != day {
		p.Day = day
		p.Most = max(p.Most-peakFade, 0)
	}
	p.Most = max(p.Most, float32(x))
	if p.N < 1<<16-1 {
		p.N++
	}
}
