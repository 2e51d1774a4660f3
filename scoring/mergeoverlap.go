package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// How many windows two replicas share nobody has counted; two things tell. Where
// requests are dealt out one by one, a replica that sees ten in a window in which
// it sees something sees some in all of them, and of one a window it is next to
// none (dealtOut). And the rings show whether the two were active in the same
// windows lately (windowsOf): where a connection stays with its replica, they were
// not.

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
		for range 30 { // from above; near m = 1 it is slow, and l is next to nothing
			before := l
			if l = m * (1 - zero(l)); before-l < 1e-3*l {
				break
			}
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
