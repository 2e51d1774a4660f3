package scoring

import (
	"math"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Drift finds low and slow: responses that are larger than usual, window after
// window, each alone unremarkable. Of every active ten minutes it takes the mean
// residual of their responses (typical.go) and remembers by how much the last of
// them lay above what is usual, an exponentially weighted mean (Roberts 1959)
//
//	z = (mean y - typical)/spread     s = sqrt(L) EWMA_L(clamp(z, -1.5, 1.5))
//
// of L = 64 windows, or as many as there were. It is held tightly because one
// window is nobody's trend: a document, another page, a batch; what stays is. A
// window counts once and not once a response: the responses of a batch are one
// decision. And it is of sizes, not of sums: the sum of ten minutes varies
// with how many requests they had, fourfold in a person's, and twice as much in
// each is hidden in that. With the ruler of the route it is not.
// A CUSUM (Page 1954) finds a step as soon, but runs to its bound for ever for
// whoever comes to lie a little above what is typical of it: a mean stays there.
//
// How the sum of dependent windows is spread is not modelled: an EWMA of
// independent ones has half the variance that s is held against, which leaves
// room for those that are not, and how rare s is, is for peers to say. Who has
// drifted is far out for hours, so of a day only the most counts among them
// (Lasting); and what everybody shares, a campaign, looks the same, so drift
// cannot alarm by the model alone.
const (
	driftMemory = 64  // windows
	driftClamp  = 1.5 // deviations
	driftWindow = time.Hour
)

// judgeDrift speaks where the response, of v bytes, is itself more than usual.
func (e *entity) judgeDrift(ex *Exchange, kind profile.Kind, v float64) {
	p := &e.predictions
	f := Evidence{Detector: Drift, Entity: kind, Unit: "bytes", Bits: ordinary, Observed: v, Window: driftWindow}
	if p.lately > 0 && v > p.bytes.one.usual() {
		f.Bits = normalBits(p.lately)
	}
	e.findHeld(ex, f, &p.bytes.one, subdued)
}

// lately is s; 0 where what is typical is not known yet.
func (l *look) lately() float64 {
	n := driftWindows(l.habits)
	return math.Sqrt(n) * finite(l.rec.Bytes.Lately, 0, driftClamp)
}

// driftWindows are how many windows s is the mean of: those since what is typical was known.
func driftWindows(h *profile.Habits) float64 {
	return min(max(float64(h.Typical.Windows)-shrinkage+1, 0), driftMemory)
}

// drift takes the deviate of a window that is over.
func (l *look) drift(z float64) {
	at := &l.rec.Bytes.Lately
	was := finite(*at, -driftClamp, driftClamp)
	n := driftWindows(l.habits)
	if n < 1 {
		*at = 0
		return
	}
	*at = float32(was + (min(max(z, -driftClamp), driftClamp)-was)/n)
}

// closeVolume takes the volume of ten minutes that are over into the baseline.
func (l *look) closeVolume(last uint32) {
	r, b := &l.rec.HabitRings, &l.rec.Baseline
	l.closeSum(tenBytes, window.CurrentValue(r.Bytes10m[:], tenMinutes, last), &b.Bytes10m, anchorBytes, l.cohort.bytes10m, l.rec.Spreads.Bytes10m)
	l.closeSum(tenRecords, window.CurrentValue(r.Records10m[:], tenMinutes, last), &b.Records10m, anchorRecords, l.cohort.records10m, l.rec.Spreads.Records10m)
}

func (l *look) closeSum(of quantity, sum float64, m *window.Moments, anchor int, prior float64, slow float32) {
	if !(sum > 0) || l.rec.Flags&taintedTen != 0 {
		return // nothing was metered, or nothing is to be learned
	}
	x, q := window.Log2(1+sum), l.volume(m, anchor, prior, slow)
	weight, surprise := 1.0, ordinary
	if l.mature {
		largest := precedentMargin * float64(window.Minifloat(l.rec.Rings.Precedents[of]).Decode())
		surprise = max(q.bits(sum), record{n: float64(m.N), largest: largest}.bits(sum))
		weight = learningWeight(surprise * log10of2)
		x = min(max(x, q.center-winsor*q.scale), q.center+winsor*q.scale)
	}
	learnMoment(m, x, weight, decay10m)
	if surprise < subdued || free(l.rec, l.now) {
		l.raise(of, sum)
	}
}

// learnResponse takes one response's size into the identity's residual.
func (l *look) learnResponse(r *profile.Residual, of amount, known *measure, weight float64) {
	if of.v < 0 {
		return
	}
	x, s, q := of.log2, known.route, &known.one
	if l.mature {
		x = min(max(x, q.center-winsor*q.scale), q.center+winsor*q.scale)
	}
	learnMoment(&r.Y, (x-s.mu)/s.sigma, weight, decayResponse)
}
