package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Moments of windows. What was learned of single responses adds up, by the
// formula of Chan, Golub and LeVeque (1979). What was learned of windows does not:
// where both replicas saw a part of the same ten minutes, those are one window
// with the sum, not two with a part each, and the mean of the sums is the sum of
// the means. Where each saw windows of its own (a connection stays with its
// replica), the formula holds. So there are three sorts of windows, only one's,
// only the other's and both's,
//
//	n = a + b - both        n mean = a mean_a + b mean_b
//
// and the formula is for putting these three together. Nobody has counted both:
// see mergeoverlap.go.
//
// A window of both has the sum of their means. A count varies by chance, apart in
// each part, and with the pace of the identity, which both see alike: of the
// variance what chance explains adds up, and of the rest the deviations do. For
// a Gamma-Poisson's parts that is exact. A volume, as a logarithm, becomes that
// of the sum, and the deviation the mean of both: it is less where sizes vary
// from response to response, so it errs towards quiet.

// part is what sort of number a window's is, of which each replica has a part.
type part uint8

const (
	counted  part = iota
	measured      // log2(1+v) of a sum
	averaged      // over the requests of the window
)

// join is the mean of windows of both, by the means of the parts.
func (p part) join(a, b float64) float64 {
	switch p {
	case counted:
		return a + b
	case measured: // log2(1+v+w) of log2(1+v) and log2(1+w)
		return math.Log2(max(math.Exp2(finite(a, 0, 64))+math.Exp2(finite(b, 0, 64))-1, 1))
	}
	return (a + b) / 2
}

// variance is that of windows of both.
func (p part) variance(a, b window.Moments) float64 {
	switch p {
	case counted:
		chance := min(a.Var(), float64(a.Mean)) + min(b.Var(), float64(b.Mean))
		pace := math.Sqrt(max(a.Var()-float64(a.Mean), 0)) + math.Sqrt(max(b.Var()-float64(b.Mean), 0))
		return max(chance, 0) + pace*pace
	case measured:
		share := 1 / (1 + math.Exp2(float64(b.Mean)-float64(a.Mean))) // of a in the sum
		deviation := share*math.Sqrt(a.Var()) + (1-share)*math.Sqrt(b.Var())
		return deviation * deviation
	}
	return (a.Var() + b.Var()) / 2
}

// moments puts the three sorts of windows together.
func (w windows) moments(to *window.Moments, from window.Moments, of part) {
	a, b := healed(*to), healed(from)
	n := w.both(float64(a.N), float64(b.N))
	if !(n > 0) {
		mergeMoments(to, from)
		return
	}
	both := window.Moments{N: float32(n), Mean: float32(of.join(float64(a.Mean), float64(b.Mean))), M2: float32(of.variance(a, b) * n)}
	a.Decay(1 - n/float64(a.N))
	b.Decay(1 - n/float64(b.N))
	mergeMoments(&a, b)
	mergeMoments(&a, both)
	*to = a
}

// mergeMoments is Chan's formula for what a record may hold.
func mergeMoments(to *window.Moments, from window.Moments) {
	*to = healed(*to)
	to.Merge(healed(from))
	to.M2 = min(to.M2, mostM2)
}

// mostM2 is what Decode takes for a sum of squares.
const mostM2 = 1e12

// healed forgets what is no moments.
func healed(m window.Moments) window.Moments {
	if !(m.N >= 0 && m.N <= 1e7 && m.M2 >= 0 && m.M2 <= mostM2 && math.Abs(float64(m.Mean)) <= 1e7) {
		return window.Moments{}
	}
	return m
}

// anchor puts two slow means together as the means of a and b windows are, so
// that what lies below its mean still does. Where only one is known it stands for
// both: the lesser is what counts.
func (w windows) anchor(to *float32, from float32, a, b window.Moments, of part) {
	x, y := finite(*to, -64, 1e7), finite(from, -64, 1e7)
	n, m := float64(healed(a).N), float64(healed(b).N)
	switch {
	case y == 0:
	case x == 0:
		*to = float32(y)
	case n+m > 0:
		both := w.both(n, m)
		*to = float32(((n-both)*x + (m-both)*y + both*of.join(x, y)) / (n + m - both))
	}
}

// mergeUsual puts together what is usual, and the slow means, drift and CUSUMs
// beside it.
func mergeUsual(late, early *profile.Record, o *overlap) {
	b, e := &late.Baseline, &early.Baseline
	// The anchors come first: they need the numbers of windows as they were.
	o.minute.anchor(&late.Anchors[anchor1m], early.Anchors[anchor1m], b.Requests1m, e.Requests1m, counted)
	o.ten.anchor(&late.Anchors[anchor10m], early.Anchors[anchor10m], b.Requests10m, e.Requests10m, counted)
	o.hour.anchor(&late.Anchors[anchor1h], early.Anchors[anchor1h], b.Requests1h, e.Requests1h, counted)
	o.ten.anchor(&late.Anchors[anchorNew], early.Anchors[anchorNew], b.New10m, e.New10m, counted)
	o.ten.anchor(&late.Anchors[anchorBytes], early.Anchors[anchorBytes], b.Bytes10m, e.Bytes10m, measured)
	o.ten.anchor(&late.Anchors[anchorRecords], early.Anchors[anchorRecords], b.Records10m, e.Records10m, measured)
	o.ten.anchor(&late.Spreads.Bytes10m, early.Spreads.Bytes10m, b.Bytes10m, e.Bytes10m, averaged)
	o.ten.anchor(&late.Spreads.Records10m, early.Spreads.Records10m, b.Records10m, e.Records10m, averaged)

	o.minute.moments(&b.Requests1m, e.Requests1m, counted)
	o.ten.moments(&b.Requests10m, e.Requests10m, counted)
	o.hour.moments(&b.Requests1h, e.Requests1h, counted)
	o.ten.moments(&b.Errors10m, e.Errors10m, counted)
	o.ten.moments(&b.New10m, e.New10m, counted)
	o.hour.moments(&b.New1h, e.New1h, counted)
	o.ten.moments(&b.Companions10m, e.Companions10m, counted)
	o.ten.moments(&b.Bytes10m, e.Bytes10m, measured)
	o.ten.moments(&b.Records10m, e.Records10m, measured)
	o.ten.moments(&b.Mix10m, e.Mix10m, averaged)
	o.ten.smallCounts(&late.Tried.Usual, early.Tried.Usual)
	o.ten.smallCounts(&late.Contexts.Switches, early.Contexts.Switches)
	o.ten.smallCounts(&late.Contexts.Returns, early.Contexts.Returns)

	late.Tried.Routes.Merge(&early.Tried.Routes)
	late.Mix.Sum = float32(finite(late.Mix.Sum, 0, 1e6) + finite(early.Mix.Sum, 0, 1e6))
	late.Mix.Up = max(late.Mix.Up, early.Mix.Up)
	late.Risk.Past = window.Encode(late.Risk.Past.Decode() + early.Risk.Past.Decode())
	late.Risk.Now = max(late.Risk.Now, early.Risk.Now)
	mergeResidual(&late.Bytes, &early.Bytes)
	mergeResidual(&late.Records, &early.Records)
}

// smallCounts is moments for what is counted, in half the room.
func (w windows) smallCounts(to *window.SmallMoments, from window.SmallMoments) {
	m := to.Moments()
	w.moments(&m, from.Moments(), counted)
	*to = m.Small()
}

// mergeResidual: every response was learned by one of them.
func mergeResidual(to, from *profile.Residual) {
	apart := windows{}
	apart.anchor(&to.Anchor, from.Anchor, to.Y, from.Y, averaged)
	apart.anchor(&to.Spread, from.Spread, to.Y, from.Y, averaged)
	to.Lately = max(to.Lately, from.Lately)
	mergeMoments(&to.Y, from.Y)
}
