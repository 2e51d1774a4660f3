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
// and the formula is for putting these three together. Nobody has counted both;
// two things tell. Where requests are dealt out one by one, a replica that sees ten in a
// window in which it sees something sees some in all of them, and of one a window
// it is next to none (dealtOut). And the rings show whether the two were active in
// the same windows lately.
//
// A window of both has the sum of their means. A count varies by chance, apart in
// each part, and with the pace of the identity, which both see alike: of the
// variance what chance explains adds up, and of the rest the deviations do. For
// a Gamma-Poisson's parts that is exact. A volume, as a logarithm, becomes that
// of the sum, and the deviation the mean of both: it is less where sizes vary
// from response to response, so it errs towards quiet.

// overlap is which windows of each width two records share.
type overlap struct {
	share             float64 // of the requests: the first record's
	minute, ten, hour windows
}

func overlapOf(a, b *profile.Record) overlap {
	x, y := &a.Baseline, &b.Baseline
	lastA, lastB := [1]uint16{totalOf(a.Rings.Requests10m[:])}, [1]uint16{totalOf(b.Rings.Requests10m[:])}
	of := (float64(a.Requests) + 1) / (float64(a.Requests) + float64(b.Requests) + 2)
	o := overlap{
		share:  of,
		minute: windowsOf(a.Rings.Requests1m[:], b.Rings.Requests1m[:], of, x.Requests1m, y.Requests1m),
		ten:    windowsOf(a.Rings.Requests10m[:], b.Rings.Requests10m[:], of, x.Requests10m, y.Requests10m),
		hour:   windowsOf(lastA[:], lastB[:], of, x.Requests1h, y.Requests1h),
	}
	// Who shares no ten minutes shares no minute of theirs.
	o.ten.common = min(o.ten.common, o.hour.common)
	o.minute.common = min(o.minute.common, o.ten.common)
	return o
}

func totalOf(ring []uint16) uint16 { return uint16(min(window.Sum(ring), math.MaxUint16)) }

// sessions is the share that both have of what is counted once a session: one
// session is as long as an hour, more or less.
func (o *overlap) sessions() float64 { return o.hour.shared() }

// windows tell how many of one width two records share.
type windows struct {
	a, b   float64 // chance that a window with some of the other's has some of a's, of b's
	common float64 // how far they are of the same time, 0 to 1
}

// windowsOf reads the rings. Of n requests in a window, dealt out one by one with
// the share p to a, both see some with the chance 1 - p^n - (1-p)^n. That they
// were is believed as one window with both is, beside those in the rings, and
// where chance explains what is missing: else it would be believed less with
// every replica of many.
func windowsOf(a, b []uint16, p float64, usualA, usualB window.Moments) (w windows) {
	w.a, w.b = dealtOut(healed(usualA), healed(usualB))
	expected, variance, both := 1.0, 0.0, 1.0
	for i := range a {
		if n := float64(a[i]) + float64(b[i]); n > 0 {
			chance := 1 - math.Pow(p, n) - math.Pow(1-p, n)
			expected += chance
			variance += chance * (1 - chance)
		}
		if a[i] > 0 && b[i] > 0 {
			both++
		}
	}
	w.common = min((both+math.Sqrt(max(variance, 0)))/expected, 1)
	return w
}

// dealtOut are the chances that one part of a Gamma-Poisson's count is not 0 where
// the other is not. Of a mean l a part is 0 with the chance z(l) = (1+l/r)^-r, so
//
//	P(a > 0 | b > 0) = 1 - (z(a) - z(a+b))/(1 - z(b))
//
// 1 where nothing is known.
func dealtOut(usualA, usualB window.Moments) (a, b float64) {
	if !(usualA.N > 0 && usualB.N > 0) {
		return 1, 1
	}
	r := 1 / min(max(dispersion(&usualA), dispersion(&usualB), 1e-3), 100)
	zero := func(l float64) float64 { return math.Pow(1+l/r, -r) }
	// What is usual is the mean m where the count is not 0: l = m (1-z(l)).
	mean := func(usual *window.Moments) float64 {
		m := finite(usual.Mean, 1.001, 1e6)
		l := m
		for range 30 {
			l = m * (1 - zero(l))
		}
		return max(l, 1e-3)
	}
	x, y := mean(&usualA), mean(&usualB)
	chance := func(x, y float64) float64 {
		return min(max(1-(zero(x)-zero(x+y))/(1-zero(y)), 0), 1)
	}
	return chance(x, y), chance(y, x)
}

// shared is the share of the lesser's windows that the other has as well.
func (w windows) shared() float64 { return w.common * min(w.a, w.b) }

// both is how many windows of a and b are the same.
func (w windows) both(a, b float64) float64 { return w.common * min(a*w.b, b*w.a) }

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

// mergeUsual puts together what is usual, and the slow means and CUSUMs beside it.
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
	to.Up = max(to.Up, from.Up)
	mergeMoments(&to.Y, from.Y)
}
