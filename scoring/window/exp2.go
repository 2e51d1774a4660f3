package window

import "math"

// Exp2 is 2^x, off by less than 2e-11 of itself, in a third of math.Exp2's
// time. x beyond +-1000 counts as that; a NaN gives some number, never a panic.
//
// With x = i + f and |f| <= 1/2, 2^x = 2^i e^(f ln 2); the exponential series to
// its ninth power leaves (ln 2 / 2)^10/10! = 7e-12. It is summed by pairs, which
// a processor can do side by side.
func Exp2(x float64) float64 {
	if !(x < 1000) {
		x = 1000
	} else if x < -1000 {
		x = -1000
	}
	i := int64(x+1000.5) - 1000 // the nearest whole number; conversion cuts, and what it cuts is positive
	f := (x - float64(i)) * math.Ln2
	f2 := f * f
	f4 := f2 * f2
	low := 1 + f + f2*(1.0/2+f*(1.0/6))
	high := 1.0/24 + f*(1.0/120) + f2*(1.0/720+f*(1.0/5040)) + f4*(1.0/40320+f*(1.0/362880))
	return (low + f4*high) * math.Float64frombits(uint64(i+1023)<<52)
}
