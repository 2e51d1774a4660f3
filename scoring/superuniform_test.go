package scoring

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// superUniform: where the world is as the model says, a surprise of -log2 p is
// found at most in a share p of n windows: the learned baseline does not
// overclaim.
func superUniform(t *testing.T, name string, n int, surprise func() float64) {
	t.Helper()
	levels := []float64{1e-2, 1e-3, 1e-4, 1e-5}
	over, e := make([]int, len(levels)), 0.0
	for range n {
		bits := surprise()
		e += math.Exp2(bits/2) / 2 / float64(n)
		for i, p := range levels {
			if bits >= -math.Log2(p) {
				over[i]++
			}
		}
	}
	for i, p := range levels {
		// Three standard deviations of the count itself, and half as much
		// again for what a baseline of finite memory does not know.
		allowed := 1.5*p*float64(n) + 3*math.Sqrt(p*float64(n))
		if float64(over[i]) > allowed {
			t.Errorf("%s: %d of %d windows beyond p = %g, at most %.0f would do", name, over[i], n, p, allowed)
		}
	}
	// What p-values become before they are averaged, e = 1/2 p^-1/2, may be
	// 1 in the mean: the other half of the same claim, and nearly all of it
	// comes from the middle, where no level is tested.
	if !(e <= 1.05) {
		t.Errorf("%s: the mean e-value is %.3f, at most 1.05 would do", name, e)
	}
	t.Logf("%s: beyond 1e-2 to 1e-5 in %v of %d windows, mean e-value %.2f", name, over, n, e)
}

const manyWindows = 300_000

func TestCountsAreSuperUniform(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	counts := func(name string, p countPrior, mean, r, decay float64) {
		var m window.Moments
		draw := func() float64 { return poisson(rng, gamma(rng, r)*mean/r) }
		for range 500 {
			learnMoment(&m, draw(), 1, decay)
		}
		superUniform(t, name, manyWindows, func() float64 {
			k := draw()
			bits, _ := p.bits(k, &m, 0)
			learnMoment(&m, k, 1, decay)
			return bits
		})
	}
	counts("rate of a regular caller", habits.requests1m, 12, 1, decay1m)
	counts("rate of a bursty caller", habits.requests10m, 40, 0.5, decay10m)
	counts("rate of a rare caller", habits.requests10m, 1.5, 2, decay10m)
	counts("errors of a client that makes none", habits.errors10m, 0.02, 1, decay10m)
	counts("errors of a client that makes many", habits.errors10m, 12, 0.5, decay10m)
	counts("new objects", habits.new10m, 3, 6, decay10m)
	counts("new objects of a crawler", habits.new10m, 60, 3, decay10m)
	counts("switches of a traveller", habits.switches10m, 0.4, 1, decay10m)
	counts("routes tried in vain by a broken client", habits.tried10m, 3, 1, decay10m)
	counts("requests of an office", address.requests10m, 150, 1, decay10m)
}

func TestVolumeIsSuperUniform(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 7))
	l := &look{cohort: &habits, mature: false}
	var residual profile.Residual
	scale := routeScale{mu: 10, sigma: 1}
	draw := func() float64 { return scale.mu + 0.8*rng.NormFloat64() - 0.3 }
	for range 500 {
		learnMoment(&residual.Y, draw()-scale.mu, 1, decayResponse)
	}
	superUniform(t, "volume", manyWindows, func() float64 {
		x := draw()
		q := l.response(&residual, scale)
		bits := q.bits(math.Exp2(x) - 1)
		learnMoment(&residual.Y, x-scale.mu, 1, decayResponse)
		return bits
	})
}

// What remembers says at any time how odd the last windows are together.
func TestDriftIsSuperUniform(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 8))
	rec := profile.Record{}
	rec.Kind = profile.KindCaller
	l := &look{rec: &rec, habits: rec.Habits()}
	l.habits.Typical.Windows = 255
	superUniform(t, "drift", manyWindows, func() float64 {
		l.drift(rng.NormFloat64())
		return normalBits(l.lately())
	})
}

func TestCusumIsSuperUniform(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 8))
	var up float32
	superUniform(t, "cusum", manyWindows, func() float64 {
		up = cusum(up, rng.NormFloat64())
		return cusumBits(float64(up))
	})
}

func TestTakeoverIsSuperUniform(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 9))
	// A take-over by chance: device, network and hour new independently.
	superUniform(t, "takeover", manyWindows, func() float64 {
		p := [3]float64{0.01, 0.02, 0.04}
		var fresh []float64
		for _, p := range p {
			if rng.Float64() < p {
				fresh = append(fresh, p)
			}
		}
		return bitsOf(jointly(fresh))
	})
}

// Devices of an owner of three, one of them seldom used, who buys another now and
// then.
func TestPlacesAreSuperUniform(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 10))
	for _, often := range []float64{0.002, 0.01, 0.05} {
		l := &look{ex: &Exchange{scratch: &scratch{}}, habits: &profile.Habits{}, mature: true, cohort: &habits, kind: profile.KindCaller}
		l.habits.Context.Last = 1 << 8 // none that the exchange has
		own, next := [3]uint32{1, 2, 3}, uint32(3)
		session := func() float64 {
			if rng.Float64() < often {
				next++
				own[rng.IntN(3)] = next
			}
			id := own[[]int{0, 0, 0, 0, 0, 0, 1, 1, 2}[rng.IntN(9)]]
			f, slots := &l.ex.scratch.findings, window.Slots(l.habits.Devices[:])
			f.reset()
			l.place(Device, "share of sessions", drawnOf(slots, id), l.habits.DeviceNovelty, habits.newDevice)
			draw(slots, &l.habits.DeviceNovelty, id, 1)
			return f.surprises.Raw[Device]
		}
		for range 500 {
			session()
		}
		superUniform(t, "devices", manyWindows, session)
	}
}

// Hours of somebody at work, who is seldom early and once in a while up at night.
func TestHoursAreSuperUniform(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 11))
	var h window.Hours
	visit := func() float64 {
		hour := 9 + rng.IntN(8)
		switch {
		case rng.IntN(20) == 0:
			hour = 8
		case rng.IntN(200) == 0:
			hour = rng.IntN(24)
		}
		p, _ := hourTail(&h, hour, false)
		h.Decay(decayHours)
		h.Add(hour, false, 1)
		return bitsOf(p)
	}
	for range 500 {
		visit()
	}
	superUniform(t, "hours", manyWindows, visit)
}

// Names that fail to sign in where so many do, counted by a sketch. Where more than
// a few do so in ten minutes the sketch's own error has a tail: of a dozen, three
// times as many windows as should are beyond 1e-4.
func TestStuffingIsSuperUniform(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 13))
	for _, mean := range []float64{0.1, 0.5, 2} {
		var usual window.Moments
		tenMinutes := func() float64 {
			var names window.HLL
			for range int(poisson(rng, gamma(rng, 2)*mean/2)) {
				names.Add(rng.Uint64())
			}
			c := newcomers{failed: names.Estimate()}
			bits, _ := c.bits(&login.failedUsers, &usual)
			learnMoment(&usual, c.failed, 1, decay10m)
			return bits
		}
		for range 500 {
			tenMinutes()
		}
		superUniform(t, "sign-ins", manyWindows, tenMinutes)
	}
}

// gamma draws from Gamma(shape, 1) (Marsaglia and Tsang 2000).
func gamma(rng *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(rng, shape+1) * math.Pow(rng.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	for {
		x := rng.NormFloat64()
		v := 1 + x/math.Sqrt(9*d)
		if v > 0 && math.Log(rng.Float64()) < 0.5*x*x+d-d*v*v*v+d*math.Log(v*v*v) {
			return d * v * v * v
		}
	}
}

// poisson counts exponential waits.
func poisson(rng *rand.Rand, mean float64) float64 {
	n := 0.0
	for at := rng.ExpFloat64(); at < mean; at += rng.ExpFloat64() {
		n++
	}
	return n
}
