package window

// Add takes in x with the given weight (1 in full, 0 not at all), by West's
// incremental form of Welford's sums:
//
//	n' = n+w   mean' = mean + w/n' (x-mean)   M2' = M2 + w n/n' (x-mean)^2
//
// computed in float64 and kept in float32: without Decay, a count of 2^24
// stands still, which is why every baseline decays. The common form of the last
// term, w (x-mean)(x-mean'), rounds to less than nothing when n is 0, and a
// negative M2 is no spread.
func (m *Moments) Add(x, weight float64) {
	if !(weight > 0) {
		return
	}
	n := float64(m.N) + weight
	mean := float64(m.Mean)
	d := x - mean
	mean += d * weight / n
	m.M2 = float32(float64(m.M2) + weight*float64(m.N)/n*d*d)
	m.Mean = float32(mean)
	m.N = float32(n)
}

// Decay makes everything so far count factor times what it did; mean and
// variance stay. A half-life of h additions is a factor of 2^(-1/h) before each.
func (m *Moments) Decay(factor float64) {
	m.N = float32(float64(m.N) * factor)
	m.M2 = float32(float64(m.M2) * factor)
}

// Var is the variance M2/n of what was added, 0 when nothing was. A predictive
// distribution wants M2 itself, beside its prior's.
func (m *Moments) Var() float64 {
	if !(m.N > 0) || !(m.M2 > 0) {
		return 0
	}
	return float64(m.M2) / float64(m.N)
}

// Merge takes in another's data (Chan et al. 1979), as if it had been added here.
func (m *Moments) Merge(o Moments) {
	if !(o.N > 0) {
		return
	}
	if !(m.N > 0) {
		*m = o
		return
	}
	a, b := float64(m.N), float64(o.N)
	n := a + b
	d := float64(o.Mean) - float64(m.Mean)
	// The weighted sum, not mean + d*b/n: that way a.Merge(b) and b.Merge(a) agree to the last bit.
	m.Mean = float32((a*float64(m.Mean) + b*float64(o.Mean)) / n)
	m.M2 = float32(float64(m.M2) + float64(o.M2) + d*d*(a*b/n))
	m.N = float32(n)
}
