package scoring

// tally is a histogram of 64 bins over a range, from which medians are read: no
// value counts for more than its bin, so that nobody moves a median by being
// extreme. What lies outside counts in the last bin of its side.
type tally struct {
	Bins [64]float32
	N    float32
}

// axis is what a tally is laid over: where it begins, and how wide a bin is.
type axis struct{ from, width float64 }

// add counts x; what is no number is not counted.
func (t *tally) add(s axis, x, weight float64) {
	i := (x - s.from) / s.width
	if i != i {
		return
	}
	t.Bins[int(min(max(i, 0), float64(len(t.Bins)-1)))] += float32(weight)
	t.N += float32(weight)
}

// fade makes what was counted count factor times what it did.
func (t *tally) fade(factor float32) {
	t.N = 0
	for i := range t.Bins {
		t.Bins[i] *= factor
		t.N += t.Bins[i]
	}
}

// quantile is the value below which a share q of the weight lies, evenly spread
// within its bin. 0 of nothing.
func (t *tally) quantile(s axis, q float64) float64 {
	if !(t.N > 0) {
		return 0
	}
	left := q * float64(t.N)
	for i, n := range t.Bins {
		if left <= float64(n) && n > 0 {
			return s.from + (float64(i)+left/float64(n))*s.width
		}
		left -= float64(n)
	}
	return s.from + float64(len(t.Bins))*s.width
}
