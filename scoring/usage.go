package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/window"
)

// usage: it uses the API for other things than it did, as does an account that
// has found a new owner or a new purpose: nothing but searches, a price a second.
// Each request alone is one that it has made before.
//
// The mix of ten minutes is the mean surprise of their routes, -log2 of each
// one's share in what the identity usually asks for. Its own mean and spread are
// learned as a volume's are, and a winsorised CUSUM (Page 1954) over the windows
//
//	C = max(0, C + clamp(z, -1.5, 2.5) - 1/2)
//
// finds a mix that stays unlike; under the model it exceeds c with probability
// about e^-c. Like drift it lasts for hours, and cannot alarm by the model alone:
// a new season changes what everybody asks for.
type usage struct{}

// mostCusum is a bound from which it falls back within hours.
const mostCusum = 24

func cusum(c float32, z float64) float32 {
	return float32(min(max(0, finite(c, 0, mostCusum)+min(max(z, -1.5), 2.5)-0.5), mostCusum))
}

func cusumBits(c float64) float64 { return max(ordinary, c*math.Log2E) }

const (
	mixLeast = 4             // requests of ten minutes that tell of a mix
	mixScale = 0.5           // bits: the least spread that is believed of anybody
	mixKnown = 3 * shrinkage // windows until the spread is known, as any spread
)

// judge speaks where the request is itself one of the unusual.
func (usage) judge(l *look) {
	m := &l.rec.Baseline.Mix10m
	up := finite(l.rec.Mix.Up, 0, mostCusum)
	if !l.mature || !(m.N >= mixKnown) || up == 0 {
		return
	}
	share := l.share(endpointID(l.ex))
	e := Evidence{Detector: Usage, Unit: "share", Bits: ordinary, Observed: share, Expected: window.Exp2(-finite(m.Mean, 0, 64)), Window: driftWindow}
	if share < e.Expected {
		e.Bits = cusumBits(up)
	}
	l.findSubdued(e)
}

// use counts the request into the mix of the open ten minutes.
func (l *look) use() {
	l.rec.Mix.Sum = float32(finite(l.rec.Mix.Sum, 0, 1e6) - window.Log2(l.share(endpointID(l.ex))))
}

// closeMix takes the mix of ten minutes that are over into drift and baseline.
func (l *look) closeMix() {
	sum, n := finite(l.rec.Mix.Sum, 0, 1e6), float64(l.rec.Open[1])
	l.rec.Mix.Sum, l.habits.Used = 0, 0
	if n < mixLeast {
		return
	}
	x, m := sum/n, &l.rec.Baseline.Mix10m
	if l.mature && m.N >= mixKnown {
		mean := finite(m.Mean, 0, 64)
		scale := max(responseSpread(m), mixScale)
		l.rec.Mix.Up = cusum(l.rec.Mix.Up, wallace((x-mean)/scale, mostNu))
		x = min(max(x, mean-winsor*scale), mean+winsor*scale)
	}
	if l.rec.Flags&taintedTen == 0 {
		learnMoment(m, x, 1, decay10m)
	}
}

func (usage) learn(l *look, weight float64) { l.visit(weight) }
