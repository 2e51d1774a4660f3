package calibrate

import (
	"math/bits"

	"github.com/wonted-project/wonted/scoring/window"
)

// Realised is what came of the budget.
type Realised struct {
	Days        int64 // identity-days judged, mature or not
	Alerts      int64 // of them, with an alert; and campaigns
	Statistical int64 // alerts since the start, before there were tables as well
	Campaigns   int64

	// The same, of lately: it fades with every identity-day, so that it holds
	// some hundred alerts' worth.
	LateDays, LateAlerts float64
}

// lateAlerts is how many alerts the budget allows in the memory of Late.
const lateAlerts = 100

func (r *Realised) count(days int64, alerted bool, alpha float64) {
	r.Days += days
	keep := 1 - alpha/lateAlerts*float64(days)
	r.LateDays = r.LateDays*keep + float64(days)
	r.LateAlerts *= keep
	if alerted {
		r.Alerts++
		r.LateAlerts++
	}
}

// Stats is how calibration stands.
type Stats struct {
	Budget     Budget
	Realised   Realised
	Thresholds [2]float64 // of those not mature, and of those that are
	Capped     bool       // the day's alerts are used up, as of the last alert
	Learning   bool       // most windows are judged by the model alone

	Windows   uint64
	MeanE     float64              // of windows: the mean of their detectors' e-values
	Scores    [MaxScore + 1]uint64 // windows by whole score; the last is MaxScore
	ScoreSum  float64
	Detectors []DetectorStats
}

// DetectorStats are a detector's windows, or identity-days if it lasts: in how many it ran, and its own score
// came to 1, 2, 3, 4 or more.
type DetectorStats struct {
	Name  string
	Ran   uint64
	Fired [4]uint64
	MeanE float64
}

// Overrun says whether clearly more alerts come than the budget allows: by a
// fifth, and by more than chance would.
func (s *Stats) Overrun() bool {
	expected := s.Budget.PerIdentityDay * s.Realised.LateDays
	over := s.Realised.LateAlerts - 1.2*expected
	return over > 0 && over*over > 4*expected && s.Realised.LateAlerts >= 5
}

// counts are what Stats is made of, guarded by the tables' lock.
type counts struct {
	detectors [MaxDetectors]struct {
		ran   uint64
		fired [4]uint64
		sum   float64
	}
	windows  uint64 // with tables
	sum      float64
	scores   [MaxScore + 1]uint64
	scoreSum float64
	judged   float64 // share of the last windows
	learning bool
}

// The learning phase ends when half of the last windows were judged by tables,
// and begins again below a fifth.
const (
	learned   = 0.5
	unlearned = 0.2
	judgedOf  = 256
)

// window counts one that is over, and those of its detectors that do not last.
func (c *counts) window(t *tables, e *slot, ran uint32) {
	now := 0.0
	if e.is(dayJudged) && e.sum > 0 {
		now = 1
	}
	c.judged += (now - c.judged) / judgedOf
	switch {
	case c.judged >= learned:
		c.learning = false
	case c.judged < unlearned:
		c.learning = true
	}
	score := float64(e.score) / 20
	c.scores[int(score)]++
	c.scoreSum += score
	sum, n := 0.0, 0
	for ; ran != 0; ran &= ran - 1 {
		d := bits.TrailingZeros32(ran)
		if v := t.windowValue(e, d); v != 0 {
			c.detector(d, v)
			sum += v
			n++
		}
	}
	if n > 0 {
		c.windows++
		c.sum += sum / float64(n)
	}
}

// detector counts a window of one, or a day of one that lasts, by its e-value; 0
// is none.
func (c *counts) detector(d int, v float64) {
	if v == 0 {
		return
	}
	of := &c.detectors[d]
	of.ran++
	of.sum += v
	for k := 0; k < len(of.fired) && 2*window.Log2(2*v)*log10of2 >= float64(k+1); k++ {
		of.fired[k]++
	}
}

// Stats tells how calibration stands.
func (p *Peers) Stats() Stats {
	s := Stats{}
	b := &p.budget
	b.mu.Lock()
	s.Budget, s.Realised = b.budget, b.totals
	s.Capped = b.capped.Load() == uint32(b.today)+1
	for g := range b.groups {
		s.Thresholds[g] = b.groups[g].get()
	}
	b.mu.Unlock()
	p.tables.mu.Lock()
	defer p.tables.mu.Unlock()
	c := &p.counts
	s.Learning = c.learning
	s.Windows, s.Scores, s.ScoreSum = c.windows, c.scores, c.scoreSum
	s.MeanE = c.sum / max(float64(c.windows), 1)
	for d, name := range p.names {
		of := &c.detectors[d]
		s.Detectors = append(s.Detectors, DetectorStats{name, of.ran, of.fired, of.sum / max(float64(of.ran), 1)})
	}
	return s
}

// SetBudget changes it under traffic.
func (p *Peers) SetBudget(b Budget) { p.budget.change(b) }
