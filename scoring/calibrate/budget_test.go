package calibrate

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The alerts of T identity-days are alpha T and a little: for any stream, also
// one that knows the threshold.
func TestBudgetHoldsForAnyStream(t *testing.T) {
	const days = 200_000
	f := func(name string, score func(day int, tau float64) float64) {
		t.Helper()
		var c controller
		c.init(Budget{PerIdentityDay: 0.001})
		c.groups[1].windows, c.groups[1].arrived = 20, 1
		g := &c.groups[1]
		c.begin(g)
		alerts, first := 0, g.get()
		for day := range days {
			over := score(day, g.get()) >= g.get()
			if over {
				alerts++
				c.pay(levels-1, 1)
			}
			c.day(levels-1, over)
		}
		// Steps are larger at first, which only makes for fewer alerts.
		bound := 0.001*days + (g.get()-first)/leastStep
		most := 0.001*days + (MaxScore-c.budget.floor())/leastStep + 1
		t.Logf("%s: %d alerts in %d identity-days, threshold %.2f", name, alerts, days, g.get())
		if float64(alerts) > most || float64(alerts) > bound+1 && g.get() < MaxScore-leastStep && alerts > 0 && bound >= 0 && float64(alerts) > bound+5 {
			t.Errorf("%s: %d alerts, at most %.0f and about %.0f would do", name, alerts, most, bound)
		}
	}
	rng := rand.New(rand.NewPCG(7, 7))
	f("as calibrated", func(int, float64) float64 { return -math.Log10(rng.Float64()) + 1.3 })
	f("twice as odd from the middle on", func(day int, _ float64) float64 {
		return -math.Log10(rng.Float64())*(1+float64(day/(days/2))) + 1.3
	})
	f("always just at the threshold", func(_ int, tau float64) float64 { return min(tau, MaxScore-leastStep) })
	f("a wave every thousand", func(day int, _ float64) float64 {
		if day%1000 < 50 {
			return 11
		}
		return 1
	})
	f("quiet, then at once", func(day int, _ float64) float64 { return float64(day/(days-500)) * 11.5 })
	f("never odd", func(int, float64) float64 { return 0 })
}

// What alarms together is one alert, teaches nothing, and moves the threshold
// once; and a campaign is not hidden by being many.
func TestCampaignIsOneAlert(t *testing.T) {
	p := newPeers()
	c := newCrowd(21, p)
	for range 4 {
		c.day(500, 20, 2, nil)
	}
	before, tau := p.Stats(), p.budget.groups[1].get()
	sums := p.tables.cells[poolOf(2)].sums.n
	s := &Surprises{}
	for id := range 40 {
		w := &Who{Key: hash(10_000 + id), Cohort: 1, Level: 2, Now: c.now + uint32(id), Places: [3]uint64{7, 0, 9}}
		c.find(0, s)
		p.Observe(w, s, &Outcome{Accepted: true})
		s.Run(7, 60)
		v := p.Score(w, s)
		if v.Score < v.Threshold {
			t.Fatalf("number %d of a campaign scores %.1f of %.1f", id, v.Score, v.Threshold)
		}
		p.Observe(w, s, &Outcome{Accepted: true, Score: v.Score, Alarm: true})
		if id > 3 && !p.campaigns.meets(w, 7) {
			t.Fatalf("number %d of a campaign is not known as one", id)
		}
	}
	after := p.Stats()
	if n := after.Realised.Campaigns - before.Realised.Campaigns; n != 1 {
		t.Errorf("%d campaigns", n)
	}
	if n := after.Realised.Statistical - before.Realised.Statistical; n != 2 {
		t.Errorf("%d alerts before it was one", n)
	}
	if moved := p.budget.groups[1].get() - tau; moved > 1.01*firstStep || moved <= 0 {
		t.Errorf("the threshold moved by %.2f", moved)
	}
	c.now += 86400
	c.day(500, 2, 2, nil) // closes what was open
	if n := p.tables.cells[poolOf(2)].sums.n - sums; n > 500*2+5 {
		t.Errorf("%v windows were learned", n)
	}
}

// The day's cap raises the threshold for who has had no alert yet.
func TestCapOfTheDay(t *testing.T) {
	p := New(Config{Detectors: crowdNames, Budget: Budget{PerIdentityDay: 0.001, PerDay: 3}})
	s := &Surprises{}
	s.Run(0, 16) // 4.8
	s.Questions = 1
	now := uint32(20000 * 86400)
	alarms := 0
	for range 2 {
		for id := range 10 {
			w := &Who{Key: hash(id), Level: 2, Now: now}
			v := p.Score(w, s)
			if v.Score >= v.Threshold {
				alarms++
				p.Observe(w, s, &Outcome{Accepted: true, Score: v.Score, Alarm: true})
			}
		}
	}
	if alarms != 6 || !p.Stats().Capped {
		t.Errorf("%d exchanges alarmed, want three identities', twice; capped %v", alarms, p.Stats().Capped)
	}
	if v := p.Score(&Who{Key: hash(9), Level: 2, Now: now + 86400}, s); v.Score < v.Threshold {
		t.Error("the cap is still there on the next day")
	}
}

// Three identities that do nothing but alarm, and three that stay just below,
// do not make it usual.
func TestFewCannotTeachTheTables(t *testing.T) {
	score := func(poisoned bool) float64 {
		p := newPeers()
		c := newCrowd(31, p)
		c.odd = func(id, d int) float64 {
			switch {
			case !poisoned || d != 0 || id >= 6:
				return 0
			case id < 3:
				return 30
			}
			return 10
		}
		for range 6 {
			c.day(1000, 20, 2, nil)
		}
		s := &Surprises{}
		for d := range crowdDetectors {
			s.Run(d, 0.5)
		}
		s.Run(0, 40)
		return p.Score(&Who{Key: 1, Cohort: 1, Level: 2, Now: c.now}, s).Score
	}
	clean, poisoned := score(false), score(true)
	t.Logf("a surprise of 40 bits scores %.1f, poisoned %.1f", clean, poisoned)
	if poisoned < 3.3 || clean < 6 {
		t.Errorf("a surprise of 40 bits scores %.1f, and %.1f after a few taught it", clean, poisoned)
	}
}
