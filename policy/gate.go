package policy

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"github.com/wonted-project/wonted/scoring"
)

// Config is what a Gate is made of.
type Config struct {
	Scorer     Scorer
	Decider    Decider
	Mode       Mode
	Fail       FailMode
	Deadline   time.Duration // of one decision; 0: DefaultDeadline, < 0: none
	Sink       Sink          // nil: nobody listens
	Recorder   Recorder      // nil: nothing is recorded
	Decisions  DecisionLog   // nil: decisions are not logged
	Blocks     Quarantines   // nil: what policies ask for is reported, and nobody is blocked
	Log        zerolog.Logger
	Registerer prometheus.Registerer // nil: metrics are kept but not published
	Location   *time.Location        // of input.time; nil: UTC
	Rules      RuleSettings
	Exceptions Excepter // nil: there are none
	Breaker    BreakerConfig
	Clock      func() time.Time // times decisions for wonted_decision_seconds; nil: it stays empty
	Explain    int              // verdicts a second whose reports say what would have passed; 0: none
}

// Gate carries exchanges from the request to the end. It is safe for
// concurrent use; each Case belongs to one goroutine at a time.
//
// A panic of the scorer or the decider passes through: the carrier recovers it
// for the one exchange, asks Fail what to answer, and Close still works.
type Gate struct {
	scorer   Scorer
	blocks   Quarantines
	fail     FailMode
	sink     Sink
	recorder Recorder
	logger   zerolog.Logger
	location *time.Location
	clock    func() time.Time

	decider    atomic.Pointer[Decider]
	mode       atomic.Uint32
	deadlines  deadlines
	metrics    *metrics
	memo       memoMetrics
	complaints complaints
	rules      *rulebook
	exceptions Excepter
	breaker    BreakerConfig
	pace       pace
	explainer  explainer
	decisions  DecisionLog
}

// NewGate makes a Gate. Scorer and Decider are required.
func NewGate(cfg Config) *Gate {
	if cfg.Scorer == nil || cfg.Decider == nil {
		panic("policy.NewGate: Scorer and Decider are required")
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = DefaultDeadline
	}
	if cfg.Breaker.Quiet <= 0 {
		cfg.Breaker.Quiet = DefaultQuiet
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	g := &Gate{
		scorer:     cfg.Scorer,
		blocks:     cfg.Blocks,
		fail:       cfg.Fail,
		sink:       cfg.Sink,
		recorder:   cfg.Recorder,
		logger:     cfg.Log,
		location:   cfg.Location,
		clock:      cfg.Clock,
		metrics:    newMetrics(cfg.Registerer),
		rules:      newRulebook(cfg.Rules),
		exceptions: cfg.Exceptions,
		breaker:    cfg.Breaker,
		decisions:  cfg.Decisions,
		complaints: complaints{limit: rate.NewLimiter(rate.Every(10*time.Second), 3)},
		explainer:  newExplainer(cfg.Scorer, cfg.Explain),
	}
	g.deadlines.after = cfg.Deadline
	g.SetDecider(cfg.Decider)
	g.memo.register(cfg.Registerer, g.remembered)
	g.showCounts(cfg.Registerer)
	g.SetMode(cfg.Mode)
	return g
}

// SetDecider replaces the policy for exchanges that open from now on.
func (g *Gate) SetDecider(d Decider) { g.decider.Store(&d) }

// SetMode changes the mode for exchanges that open from now on.
func (g *Gate) SetMode(m Mode) { g.mode.Store(uint32(m)) }

// SetRules changes for whom rules are in force.
func (g *Gate) SetRules(s RuleSettings) { g.rules.set(s) }

// Mode is the mode for exchanges that open now.
func (g *Gate) Mode() Mode { return Mode(g.mode.Load()) }

// Open judges the request headers; the identity is already resolved.
// Verdict.Headers asks for the response headers.
func (g *Gate) Open(c *Case) Verdict {
	if c.stage != fresh {
		return c.verdict()
	}
	g.start(c)
	now := c.Exchange.Time
	if g.held(c, now) {
		g.log(c, PhaseRequest, now)
		return c.verdict()
	}
	g.scorer.Begin(&c.Exchange)
	c.began = true
	g.decide(c, PhaseRequest, now)
	g.explain(c, PhaseRequest, now)
	g.log(c, PhaseRequest, now)
	v := c.verdict()
	v.Headers = v.Pass && c.wantsResponse()
	return v
}

// start fixes mode and policy for the whole exchange.
func (g *Gate) start(c *Case) {
	c.stage = opened
	c.mode = g.Mode()
	c.watching = c.mode == Shadow
	if c.Told {
		c.mode = Shadow
	}
	c.decider = *g.decider.Load()
	g.pace.count(c.Exchange.Time)
}

// Attempt judges whom the request signs in: SignIn is set. It comes after Open,
// where the name stands in the body a moment later, and is of the same phase:
// the policy is asked again, since there is more to know.
func (g *Gate) Attempt(c *Case, now time.Time) Verdict {
	if !g.ready(c, now) {
		return c.verdict()
	}
	g.scorer.Attempt(&c.Exchange)
	g.decide(c, PhaseRequest, now)
	g.explain(c, PhaseRequest, now)
	g.log(c, PhaseRequest, now)
	v := c.verdict()
	v.Headers = v.Pass && c.wantsResponse()
	return v
}

// Answer judges the response headers: Status is set, ResponseBytes declared or
// -1. A size over budget is denied here, while a clean answer is still
// possible. Verdict.Body asks for the body in chunks.
func (g *Gate) Answer(c *Case, now time.Time) Verdict {
	if !g.ready(c, now) {
		return c.verdict()
	}
	c.size = c.Exchange.ResponseBytes
	g.scorer.Answer(&c.Exchange, now)
	g.reconsider(c, PhaseResponse, now)
	if hasBody(&c.Exchange) {
		g.spend(c, PhaseResponse, now)
	}
	g.explain(c, PhaseResponse, now)
	g.log(c, PhaseResponse, now)
	v := c.verdict()
	v.Body = v.Pass && c.wantsBody()
	return v
}

// Meter judges the response body so far (ResponseBytes, Records); !Pass: cut.
func (g *Gate) Meter(c *Case, now time.Time) Verdict {
	if !g.ready(c, now) {
		return c.verdict()
	}
	g.scorer.Meter(&c.Exchange, now)
	g.reconsider(c, PhaseBody, now)
	g.spend(c, PhaseBody, now)
	g.explain(c, PhaseBody, now)
	g.log(c, PhaseBody, now)
	return c.verdict()
}

// ready says whether there is a judged request behind this response. A stream
// that begins in the middle, or goes on after Close, was never judged: it
// passes, or keeps the verdict it has.
func (g *Gate) ready(c *Case, now time.Time) bool {
	if c.stage == fresh {
		c.mode = g.Mode()
		c.decision, c.at = allowed, now
	}
	return c.stage == opened && c.began
}

// reconsider asks again where the answer may differ: the policy reads what this
// phase brings, or the exchange looks clearly worse than when it was last asked.
func (g *Gate) reconsider(c *Case, phase Phase, now time.Time) {
	if c.decider.Reads(phase) || c.worse() {
		g.decide(c, phase, now)
		return
	}
	c.bind(c.asked) // the usual may be known better by now
}

// worse: it became anomalous, or, near the threshold and beyond, half a power
// of ten of evidence came on top. The step bounds how often a policy is asked
// while a body streams; it is also how far a rule on a detector's score may be
// overshot before it is heard.
func (c *Case) worse() bool {
	a := &c.Exchange.Assessment
	switch {
	case a.Anomalous && !c.anomalous:
		return true
	case a.Score < a.Threshold/2:
		return false
	}
	return weight(a) >= c.weight+0.5
}

// weight is all evidence together: the score is the strongest alone, and hides
// another that is growing.
func weight(a *scoring.Assessment) (sum float64) {
	for i := range a.Evidence {
		sum += a.Evidence[i].Score
	}
	return sum
}

// Fail is the verdict where the carrier itself could not do its part (a panic,
// a full table): the fail mode's, counted under reason, which is a constant of
// the carrier.
func (g *Gate) Fail(c *Case, reason string) Verdict {
	switch c.stage {
	case fresh:
		g.start(c)
	case closed:
		return c.verdict()
	}
	g.fallback(c, reason, c.Exchange.Time)
	g.log(c, PhaseRequest, c.Exchange.Time)
	return c.verdict()
}

// Close ends the exchange, exactly once however often it is called.
func (g *Gate) Close(c *Case, end scoring.End, now time.Time) {
	if c.stage != opened {
		c.stage = closed
		return
	}
	c.stage = closed // first: a panic below must not lead here again
	if c.decision.Action == Undecided {
		c.decision = allowed // a panic came before any decision, and nobody asked Fail
	}
	ex := &c.Exchange
	if ex.Assessment.Anomalous {
		g.metrics.anomalous.Inc()
	}
	g.metrics.actions[c.mode][c.decision.Action].Inc()
	g.tellRules(c)
	if c.began {
		g.scorer.Complete(ex, end, now)
		if g.blocks != nil && end == scoring.Answered && c.decision.Action == Allow && !ex.Assessment.Anomalous {
			g.blocks.Note(ex, now)
		}
	}
	if g.recorder != nil {
		g.recorder.Record(c, end)
	}
	if g.sink != nil && c.Notable() {
		g.sink.Report(c.report(end))
	}
}

// Notable: anything but plainly allowed. It is reported.
func (c *Case) Notable() bool {
	d := &c.decision
	return d.Action != Allow || d.Failed != "" || d.Reason != "" || len(c.heard) > 0 || len(c.isolated) > 0 || c.Exchange.Assessment.Anomalous
}
