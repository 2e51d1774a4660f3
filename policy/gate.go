package policy

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

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
	Log        zerolog.Logger
	Registerer prometheus.Registerer // nil: metrics are kept but not published
	Location   *time.Location        // of input.time; nil: UTC
	Clock      func() time.Time      // times decisions for wonted_decision_seconds; nil: it stays empty
}

// Gate carries exchanges from request to end.
type Gate struct{ cfg Config }

// NewGate makes a Gate.
func NewGate(cfg Config) *Gate { return &Gate{cfg: cfg} }

// Open judges the request headers; the identity is already resolved.
func (g *Gate) Open(c *Case) Verdict { return Verdict{} }

// Answer judges the response headers. Verdict.Body asks for the body.
func (g *Gate) Answer(c *Case, now time.Time) Verdict { return Verdict{} }

// Meter judges the response body so far; !Pass: cut.
func (g *Gate) Meter(c *Case, now time.Time) Verdict { return Verdict{} }

// Fail is the verdict where the carrier itself could not do its part (a panic,
// a full table): the fail mode, counted under reason.
func (g *Gate) Fail(c *Case, reason string) Verdict { return Verdict{} }

// Close ends the exchange, exactly once however often it is called.
func (g *Gate) Close(c *Case, end scoring.End, now time.Time) {}

// SetDecider replaces the policy for exchanges that open from now on.
func (g *Gate) SetDecider(d Decider) {}

// SetMode changes the mode for exchanges that open from now on.
func (g *Gate) SetMode(m Mode) {}

// Mode is the mode for exchanges that open now.
func (g *Gate) Mode() Mode { return g.cfg.Mode }
