package bench

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// ringSize is the least number of points on the ring of Envoy's RING_HASH, which
// processes of equal weight divide.
const ringSize = 1024

// shareOf returns the share of all requests that each of several processes gets
// when callers, of the harness's Zipf law, are put on a ring by their hash.
func shareOf(callers, processes int, random *rand.Rand) []float64 {
	type point struct {
		at    uint64
		owner int
	}
	var ring []point
	for owner := range processes {
		for range (ringSize + processes - 1) / processes {
			ring = append(ring, point{random.Uint64(), owner})
		}
	}
	slices.SortFunc(ring, func(a, b point) int { return cmp.Compare(a.at, b.at) })
	shares, all := make([]float64, processes), 0.0
	for k := range callers {
		weight := math.Pow(float64(k)+zipfShift, -zipfExponent)
		at := random.Uint64()
		i, _ := slices.BinarySearchFunc(ring, at, func(p point, at uint64) int { return cmp.Compare(p.at, at) })
		shares[ring[i%len(ring)].owner] += weight
		all += weight
	}
	for i := range shares {
		shares[i] /= all
	}
	return shares
}

// TestScaleOut simulates how evenly callers can be shared: the busiest process
// against a fair share. It can never be less than what the busiest caller
// brings alone, since one caller is one process's.
func TestScaleOut(t *testing.T) {
	for _, callers := range []int{1000, 1_000_000} {
		all := 0.0
		for k := range callers {
			all += math.Pow(float64(k)+zipfShift, -zipfExponent)
		}
		busiestCaller := math.Pow(zipfShift, -zipfExponent) / all
		for _, processes := range []int{2, 8, 32} {
			var busiest []float64
			for seed := range uint64(3) {
				shares := shareOf(callers, processes, rand.New(rand.NewPCG(seed, 1)))
				total := 0.0
				for _, s := range shares {
					total += s
				}
				if math.Abs(total-1) > 1e-9 {
					t.Fatalf("%d processes get %v of all requests", processes, total)
				}
				busiest = append(busiest, slices.Max(shares)*float64(processes))
			}
			most := slices.Max(busiest)
			t.Logf("%9d callers on %2d processes: the busiest gets %.2f of a fair share (%.2f in the worst of %d rings); the busiest caller alone is %.2f of one",
				callers, processes, middle(busiest), most, len(busiest), busiestCaller*float64(processes))
			if least := slices.Min(busiest); least < 1 || least < busiestCaller*float64(processes) {
				t.Errorf("%d callers on %d processes: the busiest gets %v of a fair share", callers, processes, least)
			}
			if most > 2+3*busiestCaller*float64(processes) {
				t.Errorf("%d callers on %d processes: the busiest gets %v of a fair share: the ring does not share", callers, processes, most)
			}
		}
	}
}
