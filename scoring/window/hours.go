package window

// Hours keeps its counts as cells times one common scale. Decay then costs one
// multiplication and no rounding; a cell that would overflow halves all cells
// and doubles the scale. The scale stops at 1, so that a visit of weight 1
// always counts: beyond 255 visits in the busiest hour, halving forgets
// instead of coarsening, and the histogram goes on as one of shares.
const (
	hoursFinest   = 1.0 / 16 // the scale an empty histogram starts with
	hoursCoarsest = 1.0
)

func day(weekend bool) int {
	if weekend {
		return 1
	}
	return 0
}

// Add counts a visit of the given weight at the hour (0 to 23, others wrap).
// A weight under half the scale is rounded away.
func (h *Hours) Add(hour int, weekend bool, weight float64) {
	if !(weight > 0) {
		return
	}
	if !(h.Scale > 0) {
		h.Scale = hoursFinest
	}
	cell := &h.Cells[day(weekend)][wrap(hour)]
	weight = min(weight, 128) // so that halving ends, whatever is asked
	for float64(*cell)+weight/float64(h.Scale)+0.5 >= 256 {
		h.halve()
	}
	*cell += uint8(weight/float64(h.Scale) + 0.5)
}

func (h *Hours) halve() {
	for d := range h.Cells {
		for i := range h.Cells[d] {
			h.Cells[d][i] = h.Cells[d][i]/2 + h.Cells[d][i]&1 // halves up: one visit in an hour is remembered
		}
	}
	h.Scale = min(h.Scale*2, max(h.Scale, hoursCoarsest))
}

// Decay multiplies every count by factor.
func (h *Hours) Decay(factor float64) {
	h.Scale = float32(float64(h.Scale) * factor)
	if h.Scale < hoursFinest/(1<<20) { // nothing is left; start afresh before the scale underflows
		*h = Hours{}
	}
}

// Total is the decayed count of all visits.
func (h *Hours) Total() float64 {
	sum := 0
	for d := range h.Cells {
		for _, c := range h.Cells[d] {
			sum += int(c)
		}
	}
	return float64(sum) * float64(h.Scale)
}

func wrap(hour int) int { return ((hour % 24) + 24) % 24 }
