package calibrate

import "math"

// tail is what a distribution does beyond a threshold u: a generalised Pareto,
//
//	P(X >= u + x | X >= u) = (1 + shape x/scale)^(-1/shape)
//
// the law of excesses over a high threshold (Pickands 1975). Of most surprises
// the shape is near 0, an exponential; it is kept within [0, 0.4], since no
// cell has seen enough to claim that its tail ends.
type tail struct {
	mean   float64 // excess: scale = mean (1 - shape)
	shape  float64
	weight float64 // exceedances that it is worth as a prior

	// caution is how many standard deviations what was counted may be short of
	// what is: 0 where p is estimated, more where it is claimed to be large.
	caution float64
}

const (
	mostShape  = 0.4
	shapePrior = 20    // times the weight of the prior: what a hundred windows say of a shape is mostly noise
	tailShare  = 0.004 // of all lie in the tail,
	tailLeast  = 40    // but no fewer than so many,
	tailMost   = 0.1   // but no more than this share
	trustCount = 5     // as many beyond are believed whatever the fit says: many tails are steps
)

// modelTail is what is believed of a cell that has hardly been beyond: half as
// long again as the model says, whose surprises fall by half a bit.
var modelTail = tail{mean: 1.5 / math.Ln2, shape: 0.1, weight: 8}

// sumTail is the same of log2 of e-values, p^-1/2.
var sumTail = tail{mean: 0.75 / math.Ln2, shape: 0.1, weight: 8}

// calibrated fills out with the surprise of every bin among what was counted,
//
//	-log2 P(X >= the bin's lower edge), 0 to mostBits, never falling
//
// empirical up to the threshold of the tail and fitted beyond. All in the bin
// count as beyond its edge, and one more than there were: it errs towards
// quiet. Beyond the threshold p is that of the fit, or the share that was counted
// where it is larger: some things that all do now and then, a client that retries
// without end, lie far beyond everything else, and would bend any fit that
// follows them. It returns the tail that was found.
func calibrated(out []float64, counts []float32, lower []float64, prior tail) tail {
	n := 0.0
	for _, c := range counts {
		n += float64(c)
	}
	share := min(max(tailShare, tailLeast/max(n, 1)), tailMost)
	u, beyond := len(counts), 0.0
	for u > 1 && beyond+float64(counts[u-1]) <= share*n {
		u--
		beyond += float64(counts[u])
	}
	found := excess(counts[u:], lower[u:], beyond, prior)
	scale := found.mean * (1 - found.shape) * (1 - prior.caution/math.Sqrt(beyond+prior.weight)/2)
	sure := func(k float64) float64 { return max(k-prior.caution*math.Sqrt(k), 0) }

	above := n
	top := 0.0
	for b := range counts {
		p := (sure(above) + 1) / (n + 1)
		if b > u {
			x := (lower[b] - lower[u]) / scale
			p = (sure(beyond) + 1) / (n + 1) * paretoTail(x, found.shape)
			if above >= trustCount {
				p = max(p, sure(above)/n)
			}
		}
		top = max(top, min(-math.Log2(max(p, 1e-30)), mostBits))
		out[b] = top
		above = max(above-float64(counts[b]), 0)
	}
	return found
}

func paretoTail(x, shape float64) float64 {
	if shape < 1e-3 {
		return math.Exp(-x)
	}
	return math.Exp(-math.Log1p(shape*x) / shape)
}

// excess fits the tail of the m counts, which begins at the first edge, by the
// median and the upper eighth of the excesses,
//
//	Q(7/8)/Q(1/2) = 4^shape + 2^shape + 1    scale = Q(1/2) shape/(2^shape - 1)
//
// (Pickands 1975), so that what an eighth of them are, however far out, does not
// bend what is believed of the others.
func excess(counts []float32, lower []float64, m float64, prior tail) tail {
	if !(m > 0) {
		return prior
	}
	half, most := quantile(counts, lower, m/2), quantile(counts, lower, m*7/8)
	shape := prior.shape
	if r := most / half; r > 1 {
		shape = math.Log2((math.Sqrt(4*r-3) - 1) / 2)
	}
	w := prior.weight
	shape = min(max((m*min(max(shape, -1), 1)+shapePrior*w*prior.shape)/(m+shapePrior*w), 0), mostShape)
	scale := half / math.Ln2
	if shape > 1e-3 {
		scale = half * shape / (math.Exp2(shape) - 1)
	}
	return tail{
		mean:   (m*scale/(1-shape) + w*prior.mean) / (m + w),
		shape:  shape,
		weight: prior.weight,
	}
}

// quantile is the excess that m of the counts are below.
func quantile(counts []float32, lower []float64, m float64) float64 {
	for b, c := range counts {
		if m <= float64(c) {
			return lower[b] - lower[0] + (lower[b+1]-lower[b])*m/float64(c)
		}
		m -= float64(c)
	}
	return lower[len(counts)] - lower[0]
}
