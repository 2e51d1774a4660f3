package detect

import (
	"math"
	"math/rand/v2"
	"slices"
)

func log10(x float64) float64 { return math.Log10(x) }
func exp2(x float64) float64  { return math.Exp2(x) }

// bootstrap is scale * sum(k)/sum(n) with its 95 % interval (percentiles), drawn
// over the pairs: each is one identity or victim, within which nothing is
// independent. Where nothing or everything was reached the bootstrap says
// nothing, and the interval is that of Clopper and Pearson over the units.
func bootstrap(chance *rand.Rand, k, n []float64, scale float64) Interval {
	sumK, sumN, units := 0.0, 0.0, 0
	for i := range n {
		sumK, sumN = sumK+k[i], sumN+n[i]
		if n[i] > 0 {
			units++
		}
	}
	if sumN == 0 {
		return Interval{}
	}
	out := Interval{Value: scale * sumK / sumN}
	out.Low, out.High = out.Value, out.Value
	bound := 1 - math.Pow(.025, 1/float64(max(units, 1)))
	switch {
	case sumK == 0:
		// Rule of three and its like, over all n: whether within a unit they are
		// independent is not known where none was reached.
		out.High = scale * (1 - math.Pow(.025, 1/sumN))
		return out
	case sumK == sumN:
		out.Low = scale * (1 - bound)
		return out
	}
	// Only those that reached anything, and how many others there are, matter
	// much; drawing all of them is quick enough all the same.
	values := make([]float64, resamples)
	for b := range values {
		sk, sn := 0.0, 0.0
		for range n {
			i := chance.IntN(len(n))
			sk, sn = sk+k[i], sn+n[i]
		}
		if sn > 0 {
			values[b] = scale * sk / sn
		}
	}
	slices.Sort(values)
	out.Low, out.High = values[int(.025*resamples)], values[int(.975*resamples)]
	return out
}

// spreadOf is median and 90th percentile; zeros of nothing.
func spreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	slices.Sort(values)
	at := func(q float64) float64 { return values[int(q*float64(len(values)-1)+.5)] }
	return Spread{at(.5), at(.9)}
}
