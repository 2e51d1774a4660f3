package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/window"
)

// Tails of distributions as surprise in bits, S = -log2 P(at least this much).
// All are monotone in what was observed, finite, and at least ordinary.
// Surprise is computed from logarithms throughout: p itself would underflow.

// ordinary is the surprise of anything up to the middle of its distribution.
// It is not worth knowing which half of the usual something is in.
const ordinary = 0.5

// likely is the probability of an ordinary surprise.
const likely = math.Sqrt2 / 2

// smallestMean is below which a mean is not believed: countBits is accurate
// from there on, and nobody's habits are known better.
const smallestMean = 0.1

// leastRegular is the size r below which the saddlepoint is none: 0.05 is a
// count that comes in bursts twenty times its mean.
const leastRegular = 0.05

// normalBits is the upper tail of the standard normal distribution,
//
//	ln Q(z) = -z^2/2 - 0.91894 - ln(0.661 z + 0.339 sqrt(z^2 + 5.51))
//
// (Borjesson and Sundberg 1979), within 0.3 % of Q for every z > 0.
func normalBits(z float64) float64 {
	if !(z > 0) {
		return ordinary
	}
	z = min(z, 1e6)
	lnQ := -z*z/2 - 0.91894 - math.Log(0.661*z+0.339*math.Sqrt(z*z+5.51))
	return max(ordinary, -lnQ/math.Ln2)
}

// normalQuantile is the z whose surprise is bits; 0 where every z has more. By
// Newton's method with a slope that is near enough: the hazard of the normal
// distribution is within 1 % of (3z + sqrt(z^2+8))/4 (Birnbaum; Sampford), so
// each step leaves a hundredth of the error.
func normalQuantile(bits float64) float64 {
	if !(bits > normalBits(math.SmallestNonzeroFloat64)) {
		return 0
	}
	z := math.Sqrt(2 * math.Ln2 * bits)
	for range 6 {
		step := (normalBits(z) - bits) * math.Ln2 * 4 / (3*z + math.Sqrt(z*z+8))
		z = max(z-step, 0)
		if math.Abs(step) < 1e-5 {
			break
		}
	}
	return z
}

// quantiles are the normal quantiles of a grid of surprises, a sixteenth of a
// bit apart. They are asked for with every exchange, and take a dozen logarithms
// to find.
var quantiles = func() (q normalQuantiles) {
	for i := range q {
		q[i] = normalQuantile(float64(i) / 16)
	}
	return q
}()

type normalQuantiles [48*16 + 1]float64

// of is the quantile of so many bits, to within 1e-4; beyond 48 bits it is that
// of 48.
func (q *normalQuantiles) of(bits float64) float64 {
	x := min(max(bits, 0), 48-1.0/16) * 16
	i := int(x)
	return q[i] + (x-float64(i))*(q[i+1]-q[i])
}

// countBits is the upper tail P(X >= k) of the negative binomial with mean m
// and size r: a Poisson count whose rate is Gamma-distributed over the windows
// with shape r. A saddlepoint approximation without lgamma (Lugannani-Rice in
// the form of Barndorff-Nielsen), x = k - 1/2 for continuity:
//
//	d = 2 [x ln(x/m) - (x+r) ln((x+r)/(m+r))]   w = sqrt d
//	rho = x(m+r)/(m(x+r))                       u = (rho-1)/sqrt(rho) sqrt(x + x^2/r)
//	z = w + ln(u/w)/w
//
// With x near m the two terms of d cancel, and then u/w does in ln(u/w)/w. So
// they are written in x-m, and what lies within w = 0.02 is the middle.
func countBits(k, m, r float64) float64 {
	m = min(max(m, smallestMean), 1e12)
	r = min(max(r, leastRegular), 1e6)
	x := min(k, 1e15) - 0.5
	e := x - m
	if !(e > 0) {
		return ordinary
	}
	d := 2 * (x*math.Log1p(e/m) - (x+r)*math.Log1p(e/(m+r)))
	if !(d > 0.02*0.02) {
		return ordinary
	}
	w := math.Sqrt(d)
	more := r * e / (m * (x + r)) // rho - 1
	u := more / math.Sqrt(1+more) * math.Sqrt(x+x*x/r)
	return normalBits(w + math.Log(u/w)/w)
}

// studentBits is the upper tail of Student's t with nu degrees of freedom, by
// Wallace's transformation to a normal deviate (1959).
func studentBits(t, nu float64) float64 {
	if !(t > 0) {
		return ordinary
	}
	return normalBits(wallace(t, nu))
}

// wallace is the normal deviate as far out as t, for t of either sign.
func wallace(t, nu float64) float64 {
	z := math.Sqrt(nu*math.Log1p(t*t/nu)) * (8*nu + 1) / (8*nu + 3)
	return math.Copysign(z, t)
}

// studentQuantile is the t that lies as far out as the normal deviate z:
// wallace inverted.
func studentQuantile(z, nu float64) float64 {
	c := z * (8*nu + 3) / (8*nu + 1)
	return math.Sqrt(nu * math.Expm1(min(c*c/nu, 500)))
}

// finite makes a number out of whatever a record holds.
func finite[F float32 | float64](x F, least, most float64) float64 {
	v := float64(x)
	if !(v >= least) { // a NaN as well
		return least
	}
	return min(v, most)
}

// bitsOf is the surprise of a probability that is at hand.
func bitsOf(p float64) float64 {
	if p >= likely {
		return ordinary
	}
	return max(ordinary, -window.Log2(max(p, 1e-30)))
}
