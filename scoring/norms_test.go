package scoring

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// A quantile of a tally is that of the values, to within a bin.
func TestTallyQuantile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := axis{-4, 0.125}
		values := rapid.SliceOfN(rapid.Float64Range(-3.9, 3.9), 1, 200).Draw(t, "values")
		var of tally
		for _, v := range values {
			of.add(a, v, 1)
		}
		slices.Sort(values)
		q := rapid.Float64Range(0.01, 0.99).Draw(t, "q")
		i := min(int(q*float64(len(values))), len(values)-1)
		low, high := values[max(i-1, 0)]-a.width, values[min(i+1, len(values)-1)]+a.width
		if got := of.quantile(a, q); got < low || got > high {
			t.Fatalf("quantile %v is %v, not in %v to %v", q, got, low, high)
		}
	})
}

// member is a mature caller's record whose windows hold so much.
func member(mean float64) *profile.Record {
	rec := &profile.Record{Header: profile.Header{Kind: profile.KindCaller, Accepted: 1000, Sessions: 50, Cohort: uint8(CohortPoller)}}
	m := window.Moments{N: 100, Mean: float32(mean), M2: float32(100 * (mean + mean*mean))}
	b := &rec.Baseline
	b.Requests1m, b.Requests10m, b.Requests1h, b.New10m, b.New1h = m, m, m, m, m
	rec.Habits().DeviceNovelty = window.Novelty{N: 50, New: 1}
	return rec
}

func (n *norms) takes(rec *profile.Record, day uint32) {
	l := &look{rec: rec, habits: rec.Habits(), kind: rec.Kind, peers: cohortOf(rec), entity: &entity{}, norms: n, now: day * aDay}
	l.cohort = n.priors(l.kind, l.peers)
	n.contribute(l, day)
}

// What is believed of a stranger comes from those who are known, and nobody's
// thousand fakes move it by more than a quarter a day.
func TestBeliefFollowsSlowly(t *testing.T) {
	n := newNorms()
	believed := func() float64 { return n.priors(profile.KindCaller, CohortPoller).requests10m.mean }
	if believed() != habits.requests10m.mean {
		t.Fatalf("at first %v is believed", believed())
	}
	day := uint32(20_000)
	for ; day < 20_010; day++ {
		for i := range 50 {
			n.takes(member(200+float64(i)), day)
		}
	}
	known := believed()
	if known < 150 || known > 350 {
		t.Errorf("%v is believed of pollers that make 225", known)
	}
	if is := n.priors(profile.KindCaller, CohortBatch).requests10m.mean; is < 100 {
		t.Errorf("%v is believed of a batch, though everybody else makes 225", is)
	}
	for range 10 {
		before := believed()
		for range 1000 {
			n.takes(member(50_000), day)
		}
		day++
		n.takes(member(225), day)
		if now := believed(); now > before*(1+beliefSpeed)*1.001 {
			t.Errorf("a flood moved it from %v to %v in a day", before, now)
		}
	}
	if believed() == known {
		t.Error("nothing ever moves it")
	}
	if p := n.priors(profile.KindAddress, CohortNew); p != &address {
		t.Error("addresses have learned priors")
	}
}

// A few extreme members say nothing about the rest.
func TestFewMoveNothing(t *testing.T) {
	mean := func(extreme float64) float64 {
		n := newNorms()
		for day := uint32(20_000); day < 20_010; day++ {
			for i := range 50 {
				n.takes(member(200+float64(i)), day)
			}
			for range 5 {
				n.takes(member(extreme), day)
			}
		}
		return n.priors(profile.KindCaller, CohortPoller).requests10m.mean
	}
	if a, b := mean(225), mean(900_000); b > 1.5*a {
		t.Errorf("a tenth of the members moved it from %v to %v", a, b)
	}
}

// Whatever records hold, what is believed is a number in its bounds.
func TestBeliefsAreSound(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	n := newNorms()
	for day := uint32(20_000); day < 20_040; day++ {
		for range 40 {
			rec := &profile.Record{}
			scramble(reflect.ValueOf(rec).Elem(), rng)
			rec.Kind = profile.KindCaller
			scramble(reflect.ValueOf(rec.Habits()).Elem(), rng)
			n.takes(rec, day+uint32(rng.IntN(3)))
		}
		said := n.said.Load()
		for c := range said.priors {
			for i, p := range said.priors[c].counted() {
				if !(p.mean >= p.least && p.mean < 1e8) || !(p.r >= 0.1 && p.r <= p.most) {
					t.Fatalf("count %d of %v: %+v", i, Cohort(c), p)
				}
			}
			for _, p := range []float64{said.priors[c].newDevice, said.priors[c].newNetwork, said.priors[c].newCountry} {
				if !(p > 0 && p <= 0.2) {
					t.Fatalf("novelty %v of %v", p, Cohort(c))
				}
			}
			for _, d := range said.drift[c] {
				if !(d >= 0 && d <= mostShift) {
					t.Fatalf("drift %v of %v", d, Cohort(c))
				}
			}
			if b := said.beliefs[c].Volume; math.IsNaN(b[0] + b[1]) {
				t.Fatalf("volume %v", b)
			}
		}
	}
}

// The same history makes the same norms.
func TestNormsAreDeterministic(t *testing.T) {
	play := func() *table {
		w := newWorld(t)
		all := map[string]habit{}
		for i := range 12 {
			all[fmt.Sprint("client ", i)] = []habit{hourly(5), nightly, build, officeDay}[i%4]
		}
		w.live(12, all)
		return w.scorer.norms.said.Load()
	}
	a, b := play(), play()
	if *a != *b {
		t.Error("two runs differ")
	}
	if a.beliefs[CohortNew] == beliefIn(&habits) {
		t.Error("nothing was learned")
	}
}

// A season that makes everybody grow takes the anchors along; who grows alone is
// held back.
func TestDriftOfAllIsNobodys(t *testing.T) {
	climb := func(others float64) (mine, theirs float64) {
		w := newWorld(t)
		play := func(days int, grow, alone float64) {
			for d := range days {
				all := map[string]habit{}
				for i := range 30 {
					n := 10 * math.Pow(grow, float64(d))
					if i == 7 {
						n = 10 * math.Pow(alone, float64(d))
					}
					all[fmt.Sprintf("client %02d", i)] = hourly(int(n))
				}
				w.live(1, all)
			}
		}
		play(14, 1, 1)
		anchor := func(i int) float64 {
			r := w.record(profile.KindCaller, fmt.Sprintf("client %02d", i))
			return float64(r.Anchors[anchor1h])
		}
		me, one := anchor(7), anchor(8)
		play(20, others, 1.12)
		return anchor(7) / me, anchor(8) / one
	}
	alone, still := climb(1)
	along, all := climb(1.12)
	t.Logf("20 days of 12 %%: alone %.2f beside %.2f, with all %.2f beside %.2f", alone, still, along, all)
	if still > 1.1 || along < 1.2*alone || all < 1.2*alone {
		t.Errorf("the anchor of one alone rose %.2f times beside %.2f, with all %.2f beside %.2f", alone, still, along, all)
	}
}

func TestContributingAllocatesNothing(t *testing.T) {
	n := newNorms()
	rec := member(10)
	l := &look{rec: rec, habits: rec.Habits(), kind: rec.Kind, peers: CohortPoller, entity: &entity{}, norms: n, cohort: &habits, now: 20_000 * aDay}
	if a := testing.AllocsPerRun(100, func() { n.contribute(l, 20_000) }); a != 0 {
		t.Errorf("%v allocations", a)
	}
}
