package bench

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
)

func TestMiddle(t *testing.T) {
	f := func(want float64, of ...float64) {
		t.Helper()
		if got := middle(of); got != want {
			t.Errorf("middle(%v) = %v, want %v", of, got, want)
		}
	}
	f(1, 1)
	f(1.5, 2, 1)
	f(2, 3, 1, 2)
	f(2.5, 4, 1, 3, 2)
}

func TestSpreadIsWhatWasSeen(t *testing.T) {
	if got, want := spread([]float64{3, math.NaN(), 1, 2}), (Estimate{2, 1, 3, 3}); got != want {
		t.Errorf("spread = %v, want %v", got, want)
	}
	for _, none := range [][]float64{nil, {math.NaN()}} {
		if got := spread(none); got.Known() {
			t.Errorf("spread(%v) = %v, and nothing is known", none, got)
		}
	}
}

// A worked example: ln 2, ln 2 and ln 4 have mean 0.9242 and s 0.4002;
// t(0.975, 2) = 4.303, so half the width is 0.9942.
func TestQuotientByHand(t *testing.T) {
	got := quotient([]float64{2, 4, 12}, []float64{1, 2, 3})
	near(t, "median", got.Median, 2)
	near(t, "low", got.Low, math.Exp(0.924196-0.994244))
	near(t, "high", got.High, math.Exp(0.924196+0.994244))
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-4*math.Abs(want) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestIntervalsAreNotMadeUp(t *testing.T) {
	f := func(what string, got Estimate, median float64) {
		t.Helper()
		if got.Bounded() || !got.Wide() {
			t.Errorf("%s: %v claims an interval", what, got)
		}
		if got.Median != median {
			t.Errorf("%s: median %v, want %v", what, got.Median, median)
		}
	}
	f("two rounds", quotient([]float64{2, 2}, []float64{1, 1}), 2)
	f("two pairs of three", quotient([]float64{2, 2, math.NaN()}, []float64{1, 1, 1}), 2)
	f("one round, a difference", difference([]float64{3}, []float64{1}), 2)
	f("two rounds, apart", apart([]float64{2, 2, 2, 2}, []float64{1, 1}), 2)
	f("a difference that noise has turned", quotient([]float64{2, 2, 2}, []float64{1, -0.1, 1}), 2)
	for _, none := range []Estimate{quotient(nil, []float64{1}), difference(nil, nil), apart([]float64{1}, []float64{0})} {
		if none.Known() || none.Bounded() {
			t.Errorf("%v of nothing", none)
		}
	}
}

// An interval called 95 % holds the truth in 95 of 100 runs, whatever the noise
// and however few the rounds, and pairs keep it narrow where the machine
// drifts. 2,000 runs a line: three standard errors are 1.5 %.
func TestCoverage(t *testing.T) {
	const runs, truth = 2000, 0.42
	random := rand.New(rand.NewPCG(1, 2))
	normal := random.NormFloat64
	// Every eighth round is five times as noisy: somebody else used the machine.
	contaminated := func() float64 {
		if random.IntN(8) == 0 {
			return 5 * normal()
		}
		return normal()
	}
	laplace := func() float64 { return random.ExpFloat64() - random.ExpFloat64() }
	f := func(name string, rounds int, noise func() float64, sigma, drift float64, of func(a, b []float64) Estimate) {
		t.Helper()
		held, width := 0, 0.0
		for range runs {
			var a, b []float64
			for range rounds {
				machine := math.Exp(drift * normal())
				a = append(a, truth*90*machine*math.Exp(sigma*noise()))
				b = append(b, 90*machine*math.Exp(sigma*noise()))
			}
			e := of(a, b)
			if e.Low <= truth && truth <= e.High {
				held++
			}
			if e.Low > e.Median || e.Median > e.High {
				t.Fatalf("%s: the interval %v does not hold its own median", name, e)
			}
			width += math.Log(e.High/e.Low) / runs
		}
		share := float64(held) / runs
		t.Logf("%-34s n=%-2d σ=%-5v %.3f held, ±%.1f %%", name, rounds, sigma, share, 50*width)
		if share < 0.935 {
			t.Errorf("%s, %d rounds, σ %v: %.3f of intervals hold the truth, want 0.95", name, rounds, sigma, share)
		}
	}
	for _, rounds := range []int{3, 5, 8, 20} {
		for _, sigma := range []float64{0.003, 0.05, 0.3} {
			f("normal", rounds, normal, sigma, 0, quotient)
			f("now and then a bad round", rounds, contaminated, sigma, 0, quotient)
			f("double exponential", rounds, laplace, sigma, 0, quotient)
			f("not in pairs", rounds, normal, sigma, 0, apart)
		}
		f("a machine that drifts by half", rounds, normal, 0.05, 0.5, quotient)
	}
}

// The same drift that pairs cancel makes unpaired rounds useless: that is why
// the harness interleaves.
func TestPairsCancelDrift(t *testing.T) {
	var a, b []float64
	for i := range 6 {
		machine := 1 + float64(i)/2
		a, b = append(a, 40*machine), append(b, 100*machine)
	}
	if got := quotient(a, b); got.High-got.Low > 1e-9 || math.Abs(got.Median-0.4) > 1e-9 {
		t.Errorf("in pairs: %v, want 0.4 exactly", got)
	}
	if got := apart(a, b); !got.Wide() {
		t.Errorf("apart: %v is not shown as wide", got)
	}
}

func TestDifferenceCoverage(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, scale := range []float64{0.001, 1, 1e4} {
		held := 0
		const runs = 2000
		for range runs {
			var a, b []float64
			for range 5 {
				machine := scale * random.NormFloat64()
				a = append(a, 3*scale+machine+scale*random.NormFloat64())
				b = append(b, machine+scale*random.NormFloat64())
			}
			if e := difference(a, b); e.Low <= 3*scale && 3*scale <= e.High {
				held++
			}
		}
		if held < runs*935/1000 {
			t.Errorf("scale %v: %d of %d intervals hold the truth", scale, held, runs)
		}
	}
}

func TestEstimateJSON(t *testing.T) {
	f := func(e Estimate, want string) {
		t.Helper()
		got, err := json.Marshal(e)
		if err != nil || string(got) != want {
			t.Errorf("%v is %s (%v), want %s", e, got, err, want)
		}
	}
	f(unknown, `null`)
	f(sure(2, 1), `{"median":2,"rounds":1}`)
	f(Estimate{2, 1, 3, 5}, `{"median":2,"low":1,"high":3,"rounds":5}`)
}
