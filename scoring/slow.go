package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/window"
)

// slow finds what is never much at once and does not end: a process of bets
// against the identity being as usual, window by window of ten minutes,
//
//	W = max(W, 1) min(e, 4)/(1.1 max(E, 1))
//
// where e is what detectors of amounts make of the window among its peers, and E
// its mean over the identity's last windows, some 32. Under the model W reaches w
// with a chance of 1/w after any restart (Ville; the e-detectors of Shin, Ramdas
// and Rinaldo 2024). But identities are not all alike: who always lies a little
// above its peers would win every bet, hence E, and a tenth a bet, so that what
// was won while E was not known yet is lost again. And W is not taken at its word
// either, but held against that of its peers: the most of a day, since who is high
// once is high for hours.
type slow struct{}

// mostSlow bounds W: as an e-value it is beyond every score, and from there it is
// forgotten within a day of ordinary windows.
const mostSlow = 1 << 24

const (
	mostBet   = 4 // bounds one window's: what is much at once is others' to find
	betMemory = 32
	betPrice  = 1.1
)

func (slow) judge(l *look) {
	w := finite(l.habits.Evidence, 0, mostSlow)
	if w == 0 || l.kind != stands(l.ex) {
		return // nothing was bet yet
	}
	l.ex.scratch.findings.run(Slow)
	if w > math.Sqrt2 { // else it is ordinary
		l.findSubdued(Evidence{Detector: Slow, Unit: "times the chance", Bits: window.Log2(w), Observed: w, Expected: 1})
	}
}

// learn: what was odd counts as well. See bet.
func (slow) learn(*look, float64) {}

// bet takes the e-value of a window that is over.
func (l *look) bet(e float64) {
	if l.habits == nil || !(e > 0) {
		return
	}
	e = min(e, mostBet)
	mean := max(finite(l.habits.Bets, 0, mostBet), 1)
	l.habits.Evidence = float32(min(max(finite(l.habits.Evidence, 0, mostSlow), 1)*e/(betPrice*mean), mostSlow))
	l.habits.Bets = float32(mean + (e-mean)/betMemory)
}

// Calibration is what a calibrate.Peers for a Scorer is made of.
func Calibration(b calibrate.Budget) calibrate.Config {
	return calibrate.Config{
		Detectors: detectorNames[:],
		Slow:      []int{int(Rate), int(Volume), int(Bulk), int(NewObjects), int(Errors)},
		// An hour, a method and a version are new for hours: what alarms is not learned.
		Lasting: []int{int(Drift), int(Slow), int(Usage), int(Hour), int(Method), int(Version)},
		Budget:  b,
	}
}
