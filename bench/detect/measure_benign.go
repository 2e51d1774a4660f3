package detect

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/wonted-project/wonted/scoring"
)

// group is the windows of one kind, by identity.
type group struct {
	by, name string
	windows  int
	of       map[uint32]float64   // windows of each identity
	reached  []map[uint32]float64 // of each nominal level
}

func newGroup(by, name string) *group {
	g := &group{by: by, name: name, of: map[uint32]float64{}}
	for range nominals {
		g.reached = append(g.reached, map[uint32]float64{})
	}
	return g
}

func (g *group) add(who uint32, score float64) {
	g.windows++
	g.of[who]++
	for l, p := range nominals {
		if score >= -log10(p)-1e-6 {
			g.reached[l][who]++
		}
	}
}

// curve draws intervals by identities: the windows of one depend on each other.
func (g *group) curve(chance *rand.Rand, identities int) Curve {
	c := Curve{By: g.by, Group: g.name, Windows: g.windows}
	of := make([]float64, identities)
	for who, n := range g.of {
		of[who-1] = n
	}
	for l, p := range nominals {
		reached, total := make([]float64, identities), 0.0
		for who, n := range g.reached[l] {
			reached[who-1] = n
			total += n
		}
		c.Points = append(c.Points, Point{Nominal: p, Observed: int(total), Ratio: bootstrap(chance, reached, of, 1/p)})
	}
	return c
}

// curves are of all windows, and by class, cohort, maturity and day.
func (e *engine) curves(chance *rand.Rand) (curves []Curve) {
	groups := []*group{newGroup("all", "all")}
	byClass := groups[len(groups):]
	for c := range classes {
		byClass = append(byClass, newGroup("class", classNames[c]))
	}
	byCohort := map[scoring.Cohort]*group{}
	byMaturity := []*group{newGroup("maturity", "new"), newGroup("maturity", "mature")}
	var byDay []*group
	for d := e.world.training; d < e.world.days; d++ {
		byDay = append(byDay, newGroup("day", strconv.Itoa(d)))
	}
	for i := range e.windows.closed {
		w, score := &e.windows.closed[i], float64(e.windows.score(i, 0))
		groups[0].add(w.who, score)
		byClass[w.class].add(w.who, score)
		if byCohort[w.cohort] == nil {
			byCohort[w.cohort] = newGroup("cohort", w.cohort.String())
		}
		byCohort[w.cohort].add(w.who, score)
		m := 0
		if w.mature {
			m = 1
		}
		byMaturity[m].add(w.who, score)
		byDay[int(w.day)-e.world.training].add(w.who, score)
	}
	groups = append(groups, byClass...)
	for _, c := range slices.Sorted(maps.Keys(byCohort)) {
		groups = append(groups, byCohort[c])
	}
	groups = append(append(groups, byMaturity...), byDay...)
	for _, g := range groups {
		curves = append(curves, g.curve(chance, len(e.everybody)))
	}
	return curves
}

// budget is over mature identities: it is kept for them.
func (e *engine) budget(chance *rand.Rand) Budget {
	b := Budget{Target: budgetTarget, By: map[string]int{}}
	alerted, of := make([]float64, len(e.everybody)), make([]float64, len(e.everybody))
	byDay := make([]struct{ of, alerted int }, e.world.days)
	for i := range e.tally.days {
		d := &e.tally.days[i]
		if !d.mature {
			continue
		}
		b.IdentityDays++
		of[d.who-1]++
		byDay[d.day].of++
		if d.alerted {
			b.By[d.class.String()+": "+detectorName(d.top)]++
			b.Alerted++
			alerted[d.who-1]++
			byDay[d.day].alerted++
		}
	}
	b.Realised = bootstrap(chance, alerted, of, 1000)
	for d, n := range byDay {
		if per := 1000 * float64(n.alerted) / float64(max(n.of, 1)); per > b.Worst.Per1000 {
			b.Worst.Day, b.Worst.Alerted, b.Worst.Per1000 = d, n.alerted, per
		}
	}
	return b
}

func (e *engine) harm() Harm {
	h := Harm{Exchanges: e.tally.evaluated, Anomalous: e.tally.anomalous}
	callers := 0
	for i := range e.tally.days {
		if d := &e.tally.days[i]; d.alerted || d.cut {
			callers++
		}
	}
	millions := float64(max(h.Exchanges, 1)) / 1e6
	h.PerMillion, h.Callers, h.Cut = float64(h.Anomalous)/millions, float64(callers)/millions, float64(e.tally.cut)/millions
	return h
}
