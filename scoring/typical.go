package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// What is typical of an identity is the mean residual of the bytes of ten minutes'
// responses, y as profile.Residual has it, and how far its windows mostly lie
// from that. It is what drift is measured from, so it is hard to move: in the
// first week it is learned like any mean, and from then on followTypical moves it
// once a day, by no more than an anchor moves. The spread is learned while
// nothing drifts: who climbs slowly must not widen what is usual on the way.
const (
	typicalUnit    = 1.0 / 2048
	mostTypical    = 15.9 // of y: beyond is as far out as this
	typicalVarUnit = 1.0 / (1 << 16)
	typicalPrior   = 3   // windows with a variance of
	typicalVar     = 0.5 // before the identity's own are known
	quietDrift     = 2   // up to here the spread is learned
)

func typicalOf(x float64) int16 {
	return int16(math.Round(min(max(x, -mostTypical), mostTypical) / typicalUnit))
}

// countTypical takes a response of so many bytes into the open ten minutes; -1: it
// tells nothing.
func (l *look) countTypical(size int64) {
	route, log2 := &l.entity.predictions.bytes.route, l.ex.scratch.bytes.log2
	if size < 0 || l.ex.scratch.bytes.v < 0 || !(route.sigma > 0) {
		return
	}
	h := l.habits
	h.Typical.Open = min(h.Typical.Open, math.MaxUint8-1) + 1
	mean := float64(h.Open.Typical) * typicalUnit
	h.Open.Typical = typicalOf(mean + ((log2-route.mu)/route.sigma-mean)/float64(h.Typical.Open))
}

// typicalSpread is how far a window mostly lies from the level.
func typicalSpread(h *profile.Habits) float64 {
	n, v := float64(h.Typical.Windows), float64(h.TypicalVar.Decode())*typicalVarUnit
	return math.Sqrt((n*v + typicalPrior*typicalVar) / (n + typicalPrior))
}

// closeTypical takes ten minutes that are over into drift and into what is typical. Drift
// takes what is anomalous as well: it is evidence, not habit.
func (l *look) closeTypical() {
	h := l.habits
	if h.Typical.Open == 0 {
		return
	}
	x, mean, spread := float64(h.Open.Typical)*typicalUnit, float64(h.Typical.Mean)*typicalUnit, typicalSpread(h)
	l.drift((x - mean) / spread)
	if l.rec.Flags&taintedTen != 0 {
		return
	}
	if h.Typical.Windows >= shrinkage {
		x = min(max(x, mean-winsor*spread), mean+winsor*spread)
	}
	increase(&h.Typical.Windows)
	n := float64(h.Typical.Windows)
	free := n < spreadN || l.now-min(l.rec.Created, l.now) < spreadAge
	if free {
		h.Typical.Mean = typicalOf(mean + (x-mean)/n)
	}
	if free || l.lately() < quietDrift {
		v := float64(h.TypicalVar.Decode()) * typicalVarUnit
		v += ((x-mean)*(x-mean) - v) / n
		h.TypicalVar = window.Encode(uint64(max(v, 0) / typicalVarUnit))
	}
}

// followTypical moves it towards the last windows by at most step deviations.
func (l *look) followTypical(step float64) {
	if by := finite(l.rec.Bytes.Lately, -driftClamp, driftClamp); driftWindows(l.habits) >= 1 {
		l.habits.Typical.Mean = typicalOf(float64(l.habits.Typical.Mean)*typicalUnit + min(max(by, -step), step)*typicalSpread(l.habits))
	}
}

// moveTypical puts it on another scale: what lies behind is no drift.
func (l *look) moveTypical(by float64) {
	l.habits.Typical.Mean = typicalOf(float64(l.habits.Typical.Mean)*typicalUnit + by)
	l.rec.Bytes.Lately = 0
}

// mergeTypical puts together what two replicas have of it. Each has had a part of
// the same responses, and the mean of a part is that of the whole.
func mergeTypical(h, e *profile.Habits, ten windows) {
	join := func(a, b float64, n, m uint8) float64 {
		return (a*float64(n) + b*float64(m)) / max(float64(n)+float64(m), 1)
	}
	n, m := h.Typical.Windows, e.Typical.Windows
	h.TypicalVar = window.Encode(uint64(join(float64(h.TypicalVar.Decode()), float64(e.TypicalVar.Decode()), n, m)))
	h.Typical.Mean = int16(math.Round(join(float64(h.Typical.Mean), float64(e.Typical.Mean), n, m)))
	h.Typical.Windows = uint8(min(float64(n)+float64(m)-ten.both(float64(n), float64(m)), math.MaxUint8))
	h.Open.Typical = int16(math.Round(join(float64(h.Open.Typical), float64(e.Open.Typical), h.Typical.Open, e.Typical.Open)))
	h.Typical.Open = uint8(min(int(h.Typical.Open)+int(e.Typical.Open), math.MaxUint8))
}
