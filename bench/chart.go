package bench

import (
	"math"
	"strconv"
)

// px is a place or a length in a chart, in the units of its viewBox.
type px float64

func (p px) String() string { return strconv.FormatFloat(float64(p), 'f', 1, 64) }

// scale maps values to places along one axis.
type scale struct {
	low, high float64 // values
	from, to  px      // their places
	log       bool
	step      float64 // between marks, of a linear scale
}

// at is the place of a value; outside of the scale, that of its nearest end.
func (s scale) at(v float64) px {
	low, high := s.low, s.high
	v = math.Min(math.Max(v, low), high)
	if s.log {
		low, high, v = math.Log(low), math.Log(high), math.Log(v)
	}
	if high == low {
		return s.from
	}
	return s.from + px((v-low)/(high-low))*(s.to-s.from)
}

// linear is a scale from 0 to at least high, which ends on a tick.
func linear(high float64, from, to px) scale {
	if !(high > 0) || math.IsInf(high, 0) {
		high = 1
	}
	step := nice(high / 5)
	return scale{low: 0, high: step * math.Ceil(high/step-1e-9), from: from, to: to, step: step}
}

// logarithmic is a scale that holds low and high, with some room: both ends are
// of the series 1, 2, 5.
func logarithmic(low, high float64, from, to px) scale {
	if !(low > 0) || !(high >= low) || math.IsInf(high, 0) {
		low, high = 1, 10
	}
	ticks := series125(low, high)
	return scale{low: ticks[0], high: ticks[len(ticks)-1], from: from, to: to, log: true}
}

// ticks are the values to mark, both ends among them.
func (s scale) ticks() (all []float64) {
	if s.log {
		all = series125(s.low, s.high)
		if len(all) > 10 { // of many decades, only the powers of ten, and the ends
			var powers []float64
			for i, v := range all {
				if i == 0 || i == len(all)-1 || math.Abs(math.Log10(v)-math.Round(math.Log10(v))) < 1e-9 {
					powers = append(powers, v)
				}
			}
			return powers
		}
		return all
	}
	for i := 0; float64(i)*s.step <= s.high*(1+1e-9); i++ {
		all = append(all, float64(i)*s.step)
	}
	return all
}

// nice is the least of 1, 2, 5 times a power of ten that is not below step.
func nice(step float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*power >= step*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// series125 runs …, 1, 2, 5, 10, … from the last that is not above low to the
// first that is not below high, and has two at least.
func series125(low, high float64) (all []float64) {
	decade := int(math.Floor(math.Log10(low)))
	last := int(math.Ceil(math.Log10(high))) + 1
	for d := decade; d <= last; d++ {
		for _, m := range []float64{1, 2, 5} {
			v := m * math.Pow(10, float64(d))
			if v <= low*(1+1e-9) {
				all = []float64{v}
				continue
			}
			all = append(all, v)
			if v >= high*(1-1e-9) {
				return all
			}
		}
	}
	return all
}

// tick is a mark on an axis, with its label.
type tick struct {
	At    px
	Label string
}

func (s scale) marks(label func(float64) string) (all []tick) {
	for _, v := range s.ticks() {
		all = append(all, tick{s.at(v), label(v)})
	}
	return all
}

// number writes a tick: no more digits than it has.
func number(v float64) string {
	if v >= 1000 {
		return thousands(int64(math.Round(v)))
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}
