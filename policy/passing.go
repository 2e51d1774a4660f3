package policy

import (
	"slices"
	"sort"
	"time"

	"golang.org/x/time/rate"

	"github.com/wonted-project/wonted/scoring"
)

// Passing is what would have passed in the place of an exchange that did not.
type Passing struct {
	// AtMost so many Unit would have passed, in this response or, where there is
	// a Window, together with those before. Unit is "" where no number would.
	AtMost int64  `json:"at_most"`
	Unit   string `json:"unit"` // records, bytes, requests, objects, errors
	Window string `json:"window"`

	// Without are the detectors without whose findings it would have passed; empty
	// where there is a number.
	Without []string `json:"without"`

	// Never: it would not have passed whatever was found. The rule asks for
	// something else than behaviour.
	Never bool `json:"never"`
}

// Supposer is a Scorer that can say how an exchange would have been judged had
// it been less; *scoring.Scorer is the one.
type Supposer interface {
	Suppose(ex *scoring.Exchange) *scoring.Supposition
}

// DefaultExplain is how many verdicts a second are explained to the full. What
// would have passed takes about 50 µs where decisions are remembered, and some
// twenty evaluations where they are not; to find the rules takes a millisecond,
// when nobody waits. Ten seconds' worth may come at once; fifty a second
// for long were a tenth of what judging 7,000 exchanges costs.
const DefaultExplain = 5

// Witness is a Decider that can say which rules led to a decision.
type Witness interface {
	// Witness keeps what it needs of an exchange that it has just decided on. What
	// it returns says where the rules of a name stand that fired; it takes long, and
	// may be called by anybody, later.
	Witness(in *Input, rule string) func() []Source
}

// Source is where a rule of a policy stands.
type Source struct {
	Rule string `json:"rule"` // deny, challenge, throttle, response_budget
	File string `json:"file"`
	Row  int    `json:"row"`
}

// explainer searches for what would have passed. Scores are monotone in what is
// counted, so that it need not try every number.
type explainer struct {
	supposer Supposer      // nil: nothing is searched for
	limit    *rate.Limiter // in event time
}

func newExplainer(s Scorer, perSecond int) explainer {
	e := explainer{limit: rate.NewLimiter(rate.Limit(perSecond), 10*perSecond)}
	if perSecond > 0 {
		e.supposer, _ = s.(Supposer)
	}
	return e
}

// explain searches where the verdict has become more severe than the last one
// that was explained. It comes when the verdict is made: later, profiles have
// gone on.
func (g *Gate) explain(c *Case, phase Phase, now time.Time) {
	s := c.severity()
	if s <= c.explained {
		return
	}
	c.explained = s
	if g.explainer.supposer == nil || c.decision.Failed != "" || !g.explainer.limit.AllowN(now, 1) {
		return
	}
	defer func() {
		if p := recover(); p != nil { // the verdict stands, whatever becomes of its explanation
			g.logger.Error().Any("panic", p).Stringer("decision_id", c.Exchange.ID).Msg("a verdict could not be explained")
		}
	}()
	if w, ok := c.decider.(Witness); ok {
		rule := c.decision.Action.String()
		if c.class == "budget" {
			rule = BudgetRule
		}
		c.trace = w.Witness(&c.input, rule)
	}
	if c.supposed = g.explainer.supposer.Suppose(&c.Exchange); c.supposed != nil {
		c.passing = g.passing(c, phase, now)
		c.supposed = nil
	}
}

// severity orders verdicts: 0 plainly allowed, then what is anomalous and
// allowed, then the actions.
func (c *Case) severity() Action {
	switch {
	case c.decision.Action > Allow:
		return c.decision.Action
	case c.Exchange.Assessment.Anomalous:
		return Allow
	}
	return Undecided
}

func (g *Gate) passing(c *Case, phase Phase, now time.Time) *Passing {
	if phase != PhaseRequest {
		if p := g.smaller(c, phase, now); p != nil {
			return p
		}
	}
	if p := g.fewer(c, phase, now); p != nil {
		return p
	}
	return g.without(c, phase, now)
}

// smaller searches for the largest response that would have passed; nil: its
// size is not the reason.
func (g *Gate) smaller(c *Case, phase Phase, now time.Time) *Passing {
	bytes, records := c.Exchange.ResponseBytes, c.Exchange.Records
	unit, of := c.sizeUnit()
	if of <= 0 {
		return nil
	}
	passes := func(n int64) bool {
		supposedBytes, supposedRecords := bytes, records
		switch {
		case unit == "bytes":
			supposedBytes = n
			if records > 0 {
				supposedRecords = share(records, n, of)
			}
		default:
			supposedRecords = n
			if bytes > 0 {
				supposedBytes = share(bytes, n, of)
			}
		}
		c.supposed.Response(supposedBytes, supposedRecords)
		return g.lets(c, phase, now)
	}
	if passes(of) || !passes(0) {
		return nil
	}
	first := sort.Search(int(of), func(n int) bool { return !passes(int64(n)) })
	return &Passing{AtMost: int64(first) - 1, Unit: unit, Without: []string{}}
}

// share is v in the proportion n to of, rounded up.
func share(v, n, of int64) int64 { return int64(float64(v)*float64(n)/float64(of) + 0.999999) }

// sizeUnit is in what a response is told to be too large, and how large it is;
// 0: it is not known. Records say more than bytes, where they are too many as
// well.
func (c *Case) sizeUnit() (unit string, of int64) {
	ex := &c.Exchange
	records, bytes := ex.Records > 0, false
	switch {
	case c.exceeded && !c.records.usual && c.records.passed(ex, ex.Records):
		return "records", ex.Records
	case c.exceeded && !c.bytes.usual && c.bytes.passed(ex, ex.ResponseBytes):
		return "bytes", ex.ResponseBytes
	}
	for i := range ex.Assessment.Evidence {
		switch e := &ex.Assessment.Evidence[i]; e.Detector {
		case scoring.Volume, scoring.Bulk, scoring.Drift:
			if e.Unit == "records" {
				return "records", ex.Records
			}
			bytes = true
		}
	}
	if records && !bytes {
		return "records", ex.Records
	}
	return "bytes", ex.ResponseBytes
}

// fewer searches for how many requests like this one would have passed, in terms
// of the evidence that counts most of what counts requests; nil: their number is
// not the reason.
func (g *Gate) fewer(c *Case, phase Phase, now time.Time) *Passing {
	for i := range c.Exchange.Assessment.Evidence {
		e := &c.Exchange.Assessment.Evidence[i]
		switch e.Detector {
		case scoring.Rate, scoring.NewObjects, scoring.Errors:
		default:
			continue
		}
		most := min(int(e.Observed), 1<<20)
		passes := func(n int) bool {
			c.supposed.Earlier(uint32(n))
			return g.lets(c, phase, now)
		}
		if most < 1 || passes(0) || !passes(most) {
			return nil
		}
		less := sort.Search(most, passes)
		return &Passing{AtMost: int64(most - less), Unit: e.Unit, Window: WindowName(e.Window), Without: []string{}}
	}
	return nil
}

// without leaves out what was found, one detector at a time and then one after
// the other, the weightiest first, until it passes.
func (g *Gate) without(c *Case, phase Phase, now time.Time) *Passing {
	var found []scoring.Detector
	for i := range c.Exchange.Assessment.Evidence {
		if d := c.Exchange.Assessment.Evidence[i].Detector; !slices.Contains(found, d) {
			found = append(found, d)
		}
	}
	passes := func(these ...scoring.Detector) bool {
		c.supposed.Without(these...)
		return g.lets(c, phase, now)
	}
	for i := range found {
		if passes(found[i]) {
			return &Passing{Without: []string{found[i].String()}}
		}
	}
	p := &Passing{Without: []string{}}
	for i := range found {
		if p.Without = append(p.Without, found[i].String()); passes(found[:i+1]...) {
			return p
		}
	}
	return &Passing{Without: []string{}, Never: true}
}

// lets says whether what is supposed of a case would pass: by the policy, within
// its response budget, and where the verdict is that it is anomalous, not so.
func (g *Gate) lets(c *Case, phase Phase, now time.Time) bool {
	ex := &c.supposed.Exchange
	in := Input{Exchange: ex, Phase: phase, Mode: c.mode, Now: now.In(g.location), Degraded: c.Degraded}
	d := g.consult(c.decider, &in)
	if d == nil || g.wanted(c, d) != Allow || c.decision.Action == Allow && ex.Assessment.Anomalous {
		return false
	}
	budget := Candidate{Deny, Rule{ID: BudgetRule}}
	if !g.counts(c, &budget) {
		return true
	}
	usual := &ex.Assessment.Usual
	return !resolve(d.Budget.Records, d.Budget.Usual, usual.Records).passed(ex, ex.Records) &&
		!resolve(d.Budget.Bytes, d.Budget.Usual, usual.Bytes).passed(ex, ex.ResponseBytes)
}

// wanted is what the rules want that are in force for the exchange.
func (g *Gate) wanted(c *Case, d *Decision) Action {
	if len(d.Candidates) == 0 {
		return d.Action
	}
	severest := Allow
	for i := range d.Candidates {
		if x := &d.Candidates[i]; g.counts(c, x) {
			severest = max(severest, x.Action)
		}
	}
	return severest
}

// counts: it is in force for the exchange.
func (g *Gate) counts(c *Case, x *Candidate) bool {
	e, _ := g.effect(c, g.rules.rule(x.ID), x)
	return e == InForce
}

// consult asks a decider what nobody is waiting for: it is not counted.
func (g *Gate) consult(d Decider, in *Input) *Decision {
	if r, ok := d.(Recaller); ok {
		if known, ok := r.Recall(in); ok {
			return known
		}
	}
	ctx := g.deadlines.get()
	defer g.deadlines.put(ctx)
	decision, err := d.Decide(ctx, in)
	if err != nil {
		return nil
	}
	return decision
}
