package detect

import "math"

// zscore is what one writes in an afternoon: of each caller, mean and standard
// deviation of the requests and of the bytes of its ten minutes with activity,
// and how many deviations the present ones are above. In log2, since nobody who
// has seen traffic would do it without.
type zscore struct{ states[uint64, habit] }

type habit struct {
	window int64
	now    [2]float64 // requests, bytes
	n      float64
	mean   [2]float64
	m2     [2]float64 // sum of squares about the mean (Welford 1962)
}

const (
	leastHabit  = 10 // windows before it judges
	leastSpread = .3 // octaves: who is always the same may be a little different
)

func newZscore() *zscore { return &zscore{newStates[uint64, habit]()} }

func (*zscore) name() string { return "z-score per caller" }

func (z *zscore) see(c *Call) float32 {
	h, _ := z.get(c.caller())
	if w := c.At / windowMillis; w != h.window {
		h.close()
		h.window = w
	}
	h.now[0]++
	h.now[1] += float64(max(c.Bytes, 0))
	z.set(c.caller(), h)
	if h.n < leastHabit {
		return 0
	}
	most := 0.0
	for i, x := range h.now {
		most = max(most, (math.Log2(1+x)-h.mean[i])/max(math.Sqrt(h.m2[i]/(h.n-1)), leastSpread))
	}
	return float32(most)
}

// close learns the window that is over.
func (h *habit) close() {
	if h.window == 0 {
		return
	}
	h.n++
	for i, x := range h.now {
		y := math.Log2(1 + x)
		d := y - h.mean[i]
		h.mean[i] += d / h.n
		h.m2[i] += d * (y - h.mean[i])
	}
	h.now = [2]float64{}
}
