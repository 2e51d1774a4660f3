package bench

import (
	"math"
	"math/rand/v2"
)

// Zipf's law with Mandelbrot's shift: rank k comes with probability
// proportional to 1/(k+zipfShift)^zipfExponent, k from 0. The shift keeps the
// first caller to a few per cent of all requests (3.3 % of 1,000 callers, 1.8 %
// of 1,000,000), which is what the busiest client of a large API is; unshifted
// it would be a sixth, and the run would measure one profile.
const (
	zipfExponent = 1.1
	zipfShift    = 8
)

// ranks draws the ranks of callers.
func ranks(of int, chance *rand.Rand) *rand.Zipf {
	return rand.NewZipf(chance, zipfExponent, zipfShift, uint64(of-1))
}

// source is everything that one client draws from: which caller comes next and
// what it asks for.
type source struct {
	load   Identities
	attack float64 // share of requests
	chance *rand.Rand
	rank   *rand.Zipf
}

func newSource(load Identities, attack float64, seed uint64) *source {
	chance := rand.New(rand.NewPCG(seed, 0x77616e746564))
	return &source{load: load, attack: attack, chance: chance, rank: ranks(load.Count, chance)}
}

func (s *source) next(q *Request) {
	if s.attack > 0 && s.chance.Float64() < s.attack {
		q.Attacking(s.load, s.chance)
		return
	}
	q.Ordinary(s.load, int(s.rank.Uint64()), s.chance)
}

// Weights are the shares that callers have of a load's ordinary requests, by
// rank: what [source] draws.
func Weights(callers int) []float64 {
	w := make([]float64, callers)
	sum := 0.0
	for k := range w {
		w[k] = math.Pow(zipfShift+float64(k), -zipfExponent)
		sum += w[k]
	}
	for k := range w {
		w[k] /= sum
	}
	return w
}
