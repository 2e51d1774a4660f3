package bench

import (
	"encoding/json"
	"math"
	"slices"
)

// Estimate is a figure over the rounds of a cell.
//
// Of a plain measure (requests/s of a variant) Low and High are the least and
// the greatest round: what was seen, no claim about what was not. Of a ratio
// or a difference between two variants they are a 95 % confidence interval,
// NaN where fewer than three rounds, or what they hold, allow none.
type Estimate struct {
	Median, Low, High float64 // NaN: not known
	Rounds            int     // that it stands on
}

// Known reports whether there is a figure at all.
func (e Estimate) Known() bool { return !math.IsNaN(e.Median) }

// Bounded reports whether there is an interval around it.
func (e Estimate) Bounded() bool { return !math.IsNaN(e.Low) && !math.IsNaN(e.High) }

// wide is the quotient of a ratio's bounds from which it is a hint and no
// measurement: about 15 % to either side.
const wide = 1.35

// Wide reports that a ratio is known so badly, or by so few rounds, that a
// reader should not repeat it.
func (e Estimate) Wide() bool { return !e.Bounded() || e.Low <= 0 || e.High/e.Low > wide }

// MarshalJSON writes null for what is not known, and no bounds where there are
// none: JSON has no NaN.
func (e Estimate) MarshalJSON() ([]byte, error) {
	if !e.Known() {
		return []byte("null"), nil
	}
	out := struct {
		Median float64  `json:"median"`
		Low    *float64 `json:"low,omitempty"`
		High   *float64 `json:"high,omitempty"`
		Rounds int      `json:"rounds"`
	}{Median: e.Median, Rounds: e.Rounds}
	if e.Bounded() {
		out.Low, out.High = &e.Low, &e.High
	}
	return json.Marshal(out)
}

var unknown = Estimate{Median: math.NaN(), Low: math.NaN(), High: math.NaN()}

// spread is the median of rounds, with the least and the greatest. Rounds that
// do not know (NaN) are left out.
func spread(rounds []float64) Estimate {
	known := slices.DeleteFunc(slices.Clone(rounds), math.IsNaN)
	if len(known) == 0 {
		return unknown
	}
	return Estimate{middle(known), slices.Min(known), slices.Max(known), len(known)}
}

// quotient estimates a/b from rounds that ran in pairs.
//
// The logarithms of the rounds' quotients are taken for a sample whose mean has
// Student's t distribution (W. S. Gosset, "The probable error of a mean", 1908):
//
//	exp( mean(ln aᵢ/bᵢ) ± t(0.975, n−1) · s/√n )
//
// Pairs, because what else the machine does hits both of a turn and cancels;
// logarithms, because 2x and 0.5x are equally far from the same. A bootstrap or
// the exact interval between order statistics needs more rounds than a
// benchmark has: of five rounds, the least and the greatest hold the median in
// 1 − 2·2⁻⁵ = 94 % and of three in 75 %, and a bootstrap cannot do better.
// Outliers make this interval wide rather than wrong.
func quotient(a, b []float64) Estimate {
	a, b = pairs(a, b)
	if len(a) == 0 {
		return unknown
	}
	quotients, logs := make([]float64, len(a)), make([]float64, len(a))
	for i := range a {
		if a[i] <= 0 || b[i] <= 0 {
			// A difference that noise has turned round: the medians may still
			// be compared, an interval would be made up.
			return sure(middle(a)/middle(b), len(a))
		}
		quotients[i] = a[i] / b[i]
		logs[i] = math.Log(quotients[i])
	}
	mean, half := meanWithin(logs)
	return around(middle(quotients), math.Exp(mean-half), math.Exp(mean+half), len(a))
}

// difference estimates a−b from rounds that ran in pairs: Student's t, as in
// [quotient], of the rounds' differences.
func difference(a, b []float64) Estimate {
	a, b = pairs(a, b)
	if len(a) == 0 {
		return unknown
	}
	differences := make([]float64, len(a))
	for i := range a {
		differences[i] = a[i] - b[i]
	}
	mean, half := meanWithin(differences)
	return around(middle(differences), mean-half, mean+half, len(a))
}

// apart estimates a/b from rounds that did not run in pairs (two cells): B. L.
// Welch's interval (Biometrika 34, 1947) of the difference of the logarithms'
// means. What the machine did between the two is not in it.
func apart(a, b []float64) Estimate {
	a, b = positive(a), positive(b)
	if len(a) == 0 || len(b) == 0 {
		return unknown
	}
	point, n := middle(a)/middle(b), min(len(a), len(b))
	if n < fewest {
		return sure(point, n)
	}
	meanA, squareA := moments(logarithms(a))
	meanB, squareB := moments(logarithms(b))
	a2, b2 := squareA/float64(len(a)), squareB/float64(len(b))
	if a2+b2 == 0 {
		return around(point, point, point, n)
	}
	freedom := (a2 + b2) * (a2 + b2) / (a2*a2/float64(len(a)-1) + b2*b2/float64(len(b)-1))
	half := student(int(freedom)) * math.Sqrt(a2+b2)
	return around(point, math.Exp(meanA-meanB-half), math.Exp(meanA-meanB+half), n)
}

// fewest rounds for an interval: of two, t is 12.7 and says nothing.
const fewest = 3

// meanWithin returns the mean and half the width of its 95 % interval, NaN
// where there are too few.
func meanWithin(sample []float64) (mean, half float64) {
	mean, square := moments(sample)
	if len(sample) < fewest {
		return mean, math.NaN()
	}
	return mean, student(len(sample)-1) * math.Sqrt(square/float64(len(sample)))
}

// moments returns mean and variance (over n−1).
func moments(sample []float64) (mean, variance float64) {
	for _, x := range sample {
		mean += x / float64(len(sample))
	}
	for _, x := range sample {
		variance += (x - mean) * (x - mean) / float64(len(sample)-1)
	}
	return mean, variance
}

// student is t(0.975, freedom), the two-sided 95 % point. Beyond the table its
// last entry stands, which is at most 4 % more than is due.
func student(freedom int) float64 {
	table := [...]float64{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
		2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
		2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042}
	return table[min(max(freedom, 1), len(table))-1]
}

// around is an estimate whose interval holds its median: one outlier can draw
// the mean, and the interval with it, away from where most rounds are.
func around(median, low, high float64, rounds int) Estimate {
	return Estimate{median, math.Min(low, median), math.Max(high, median), rounds}
}

// sure is an estimate without an interval.
func sure(median float64, rounds int) Estimate {
	return Estimate{median, math.NaN(), math.NaN(), rounds}
}

// middle is the median; of an even number, the mean of the two in the middle.
func middle(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// pairs drops the turns of which one side is not known.
func pairs(a, b []float64) (x, y []float64) {
	for i := range min(len(a), len(b)) {
		if !math.IsNaN(a[i]) && !math.IsNaN(b[i]) {
			x, y = append(x, a[i]), append(y, b[i])
		}
	}
	return x, y
}

func positive(of []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(of), func(x float64) bool { return math.IsNaN(x) || x <= 0 })
}

func logarithms(of []float64) []float64 {
	logs := make([]float64, len(of))
	for i, x := range of {
		logs[i] = math.Log(x)
	}
	return logs
}
