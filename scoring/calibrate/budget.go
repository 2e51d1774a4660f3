package calibrate

import (
	"math"
	"sync"
	"sync/atomic"
)

// Budget is how many alerts the operator accepts.
type Budget struct {
	PerIdentityDay float64 // alerts a day for one identity, above 0: 0.001 is one a day for a thousand
	PerDay         int     // alerts a day at most; 0: no bound
}

// controller holds the rate of alerts to the budget by moving the threshold, one
// step for each identity-day that is over:
//
//	tau <- tau + eta (1{it alarmed} - alpha)
//
// (online quantile tracking, Gibbs and Candès 2021). Summed up, the alerts of T
// identity-days are alpha T + (tau_T - tau_0)/eta, whatever the traffic does,
// and no more than that where tau was kept at its floor. Those that are mature
// have a threshold of their own, so that a flood of noisy newcomers raises
// nobody else's, nor one of quiet newcomers lowers it.
type controller struct {
	mu     sync.Mutex
	budget Budget
	groups [2]group

	today  uint16
	alerts int           // of today
	capped atomic.Uint32 // the day on which the cap was reached, and one
	totals Realised
}

// group is those that are mature, or those that are not.
type group struct {
	tau     atomic.Uint64 // bits of a float64
	began   bool          // tau is the budget's
	days    float64       // judged
	arrived float64       // identity-days that began,
	windows float64       // and windows in them
}

const (
	// A step is about what the first alerts tell, and a fifth later: small
	// enough not to swing, a standard deviation of 0.2, large enough to follow
	// within 1/(eta alpha ln 10), some 2,000 identity-days at 0.001.
	firstStep = 1 / math.Ln10
	leastStep = 0.2

	cautionNew, cautionMature = 1.5, 0.5 // above the calibrated quantile, at first

	capStep = 2.0 // what the threshold is raised by once the day's alerts are used up
)

func (c *controller) init(b Budget) {
	c.budget = b.sane()
	for g := range c.groups {
		c.groups[g].set(Threshold)
	}
}

func (b Budget) sane() Budget {
	if !(b.PerIdentityDay > 0) {
		b.PerIdentityDay = 0.001
	}
	b.PerIdentityDay = min(b.PerIdentityDay, 0.5)
	return b
}

// floor is the least threshold: that of identities with one window a day. Lower
// than that only traffic asks for of which the tables are wrong.
func (b Budget) floor() float64 { return max(-math.Log10(b.PerIdentityDay), 1) }

func (g *group) set(tau float64) { g.tau.Store(math.Float64bits(tau)) }
func (g *group) get() float64    { return math.Float64frombits(g.tau.Load()) }

func groupOf(level uint8) int {
	if level >= levels-1 {
		return 1
	}
	return 0
}

// threshold is where the budget stands, and whether the day's cap raises it.
func (c *controller) threshold(w *Who, judged bool) (tau float64, raised bool) {
	tau = Threshold
	if judged {
		tau = c.groups[groupOf(w.Level)].get()
	}
	if day := c.capped.Load(); day != 0 && day == uint32(dayOf(w.Now))+1 {
		return tau + capStep, true
	}
	return tau, false
}

// arrive counts an identity-day that begins.
func (c *controller) arrive(level uint8) {
	c.mu.Lock()
	c.groups[groupOf(level)].arrived++
	c.mu.Unlock()
}

// window counts one that is over. judged: there are tables.
func (c *controller) window(level uint8, judged bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := &c.groups[groupOf(level)]
	g.windows++
	if judged && !g.began {
		c.begin(g)
	}
}

// begin sets out from the calibrated quantile, once there are tables: of w
// windows a day each may alarm with a chance of alpha/w. It sets out above it,
// since the first tables reach far beyond what they have seen, of newcomers most
// of all; identity-days without an alert bring it down.
func (c *controller) begin(g *group) {
	g.began = true
	w := max(g.windows/max(g.arrived, 1), 1)
	caution := cautionNew
	if g == &c.groups[groupOf(levels-1)] {
		caution = cautionMature
	}
	g.set(min(max(math.Log10(w/c.budget.PerIdentityDay)+caution, c.budget.floor()), MaxScore))
}

// over: the score would have alarmed but for the day's cap.
func (c *controller) over(level uint8, score float64) bool {
	g := &c.groups[groupOf(level)]
	return score >= g.get()
}

// pay is the step up for n identity-days that alarmed, or campaigns.
func (c *controller) pay(level uint8, n float64) {
	c.mu.Lock()
	c.step(&c.groups[groupOf(level)], n)
	c.mu.Unlock()
}

// day is the step down for an identity-day that is over.
func (c *controller) day(level uint8, alerted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := &c.groups[groupOf(level)]
	c.step(g, -c.budget.PerIdentityDay)
	g.days++
	c.totals.count(1, alerted, c.budget.PerIdentityDay)
}

// step moves a threshold by eta times n.
func (c *controller) step(g *group, n float64) {
	if !g.began {
		c.begin(g)
	}
	eta := max(firstStep/(1+c.budget.PerIdentityDay*g.days), leastStep)
	g.set(min(max(g.get()+eta*n, c.budget.floor()), MaxScore))
}

// alert counts n alerts of today towards the cap; fewer than 0 where they turned
// out to be part of a campaign.
func (c *controller) alert(now uint32, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals.Statistical += int64(max(n, 0))
	c.spend(now, n)
}

// campaign counts one: one alert and one step, however many take part.
func (c *controller) campaign(w *Who, judged bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.totals.Campaigns++
	c.spend(w.Now, 1)
	if judged {
		c.step(&c.groups[groupOf(w.Level)], 1)
		c.totals.count(0, true, c.budget.PerIdentityDay)
	}
}

func (c *controller) spend(now uint32, n int) {
	day := dayOf(now)
	if day > c.today {
		c.today, c.alerts = day, 0
	}
	c.alerts += n
	if c.budget.PerDay > 0 && c.alerts >= c.budget.PerDay {
		c.capped.Store(uint32(c.today) + 1)
	}
}

// change takes another budget. The thresholds move on from where they are.
func (c *controller) change(b Budget) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.budget = b.sane()
	for g := range c.groups {
		if g := &c.groups[g]; g.began {
			c.begin(g)
		}
	}
	c.capped.Store(0)
	c.spend(uint32(c.today)*dayWidth, 0)
}
