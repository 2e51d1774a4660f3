package scoring

import (
	"math"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Drift finds low and slow: more than usual, window after window, each alone
// unremarkable. A winsorised CUSUM over active ten-minute windows,
//
//	C = max(0, C + clamp(z, -1.5, 2.5) - 1/2)
//
// which under the model exceeds c with probability about e^-c. It steps once a
// window and not once a response: the responses of a batch are one decision.
//
// A trend that everybody shares, a campaign, looks the same, so drift cannot alarm
// by the model alone: how rare it is, is for peers to say. And who has drifted is
// far out for hours, so of a day only the most counts among them (Lasting).
const (
	driftMost   = 24 // a bound from which it falls back within hours
	driftWindow = time.Hour
)

func driftBits(c float64) float64 { return max(ordinary, c*math.Log2E) }

// judgeDrift speaks where the response is itself more than usual.
func (e *entity) judgeDrift(ex *Exchange, kind profile.Kind, v float64, m *measure, unit string) {
	f := Evidence{Detector: Drift, Entity: kind, Unit: unit, Bits: ordinary, Observed: v, Window: driftWindow}
	if s := driftBits(m.drift); s > ordinary && v > m.one.usual() {
		f.Bits = s
	}
	e.findHeld(ex, f, &m.one, subdued)
}

func drift(c float32, z float64) float32 {
	return float32(min(max(0, finite(c, 0, driftMost)+min(max(z, -1.5), 2.5)-0.5), driftMost))
}

// closeVolume takes the volume of ten minutes that are over into drift and
// baseline. Drift takes what is anomalous as well: it is evidence, not habit.
func (l *look) closeVolume(last uint32) {
	r, b := &l.rec.HabitRings, &l.rec.Baseline
	l.closeSum(tenBytes, window.CurrentValue(r.Bytes10m[:], tenMinutes, last), &b.Bytes10m, anchorBytes, l.cohort.bytes10m, l.rec.Spreads.Bytes10m, &l.rec.Bytes)
	l.closeSum(tenRecords, window.CurrentValue(r.Records10m[:], tenMinutes, last), &b.Records10m, anchorRecords, l.cohort.records10m, l.rec.Spreads.Records10m, &l.rec.Records)
}

func (l *look) closeSum(of quantity, sum float64, m *window.Moments, anchor int, prior float64, slow float32, r *profile.Residual) {
	if !(sum > 0) {
		return // nothing was metered
	}
	x, q := window.Log2(1+sum), l.volume(m, anchor, prior, slow)
	if q.confidence == 1 {
		r.Up = drift(r.Up, wallace((x-q.center)/q.scale, q.nu))
	}
	if l.rec.Flags&taintedTen != 0 {
		return
	}
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
