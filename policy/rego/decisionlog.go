package rego

import (
	"context"
	"fmt"
	"io"
	"math"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/plugins"
	"github.com/open-policy-agent/opa/v1/plugins/logs"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// DecisionLogConfig says where decisions go, and which.
type DecisionLogConfig struct {
	Server  Server        // URL "": they are not uploaded
	Every   time.Duration // between two uploads, in whole seconds
	Lines   io.Writer     // one JSON object a line; nil: none are written
	Plain   float64       // share of the plainly allowed exchanges, 0 to 1
	Rate    float64       // decisions a second at most
	Mask    Mask
	Name    string // of this wonted, as the label "id"
	Log     zerolog.Logger
	Trouble func(text string) // told what goes wrong with uploads, and "" when they work again
}

// Mask puts something else in the place of what must not leave of a document of
// "input", "result" and "custom", and says where, as JSON pointers.
type Mask func(document map[string]any) (masked []string)

const (
	decisionsWaiting = 1024
	decisionBytes    = 8 << 20 // of the exchanges that wait together
	uploadBytes      = 16 << 20
	flushPatience    = 2 // seconds, when all ends
)

// DecisionLog writes decisions as OPA does (its decision log event, version 1),
// to a service by OPA's own plugin, to a file, or both. In the request path the
// input document is built for those that are logged, and no more; masking and
// writing come after, in Run. What comes too fast or finds the queue full is
// dropped and counted.
type DecisionLog struct {
	cfg     DecisionLogConfig
	limit   *rate.Limiter
	plan    []step
	queue   chan *event
	waiting atomic.Int64 // bytes
	manager *plugins.Manager
	plugin  *logs.Plugin
	upload  uploads

	logged, dropped, failures atomic.Uint64
}

var _ policy.DecisionLog = (*DecisionLog)(nil)

// event is a decision on its way.
type event struct {
	id               string
	at               time.Time
	revision, bundle string
	input            *ast.Term
	result           Words
	custom           map[string]any
	size             int64
}

// OpenDecisionLog makes it; Run must run.
func OpenDecisionLog(cfg DecisionLogConfig) (*DecisionLog, error) {
	l := &DecisionLog{
		cfg: cfg, limit: rate.NewLimiter(rate.Limit(cfg.Rate), max(1, int(cfg.Rate))),
		plan: planFor(schema, &node{whole: true}), queue: make(chan *event, decisionsWaiting),
	}
	if err := l.start(); err != nil {
		return nil, fmt.Errorf("decision log: %w", err)
	}
	return l, nil
}

// Plain implements policy.DecisionLog: the same exchanges on every replica.
func (l *DecisionLog) Plain(id scoring.ID) bool {
	n := len(id)
	drawn := uint32(id[n-1])<<24 | uint32(id[n-2])<<16 | uint32(id[n-3])<<8 | uint32(id[n-4])
	return float64(drawn) < l.cfg.Plain*(math.MaxUint32+1)
}

// Decided implements policy.DecisionLog.
func (l *DecisionLog) Decided(in *policy.Input, d *policy.Decided) {
	if len(l.queue) == cap(l.queue) || l.waiting.Load() > decisionBytes || !l.limit.AllowN(d.At, 1) {
		l.dropped.Add(1)
		return
	}
	e := &event{id: d.ID.String(), at: d.At, result: inWords(d.Decision), size: weigh(in.Exchange)}
	e.input = new(view).build(l.plan, in)
	e.custom = map[string]any{"mode": in.Mode.String(), "rules": orNone(d.Rules), "class": d.Class}
	if len(d.Shadow) > 0 {
		e.custom["shadow"] = d.Shadow
	}
	if d.Decision.Failed != "" {
		e.custom["failed"] = d.Decision.Failed
	}
	if engine, ok := d.Decider.(*Engine); ok {
		e.revision, e.bundle = engine.revision, engine.bundle
	}
	l.waiting.Add(e.size)
	select {
	case l.queue <- e:
	default:
		l.waiting.Add(-e.size)
		l.dropped.Add(1)
	}
}

// weigh is about what an exchange's document holds.
func weigh(ex *scoring.Exchange) int64 {
	n := 2048 + 2*len(ex.Path)
	for i := range ex.Headers {
		n += len(ex.Headers[i].Name) + len(ex.Headers[i].Value)
	}
	return int64(n)
}

// Run writes decisions until ctx is done, then those that wait, and gives the
// last upload a moment.
func (l *DecisionLog) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case e := <-l.queue:
			l.write(e)
			continue
		case <-tick.C:
			l.upload.look(l.cfg.Trouble)
			continue
		case <-ctx.Done():
		}
		for range len(l.queue) {
			l.write(<-l.queue)
		}
		l.manager.Stop(context.Background())
		return
	}
}

// DecisionStats are counted since the start.
type DecisionStats struct {
	Logged   uint64 // handed to the file, the service, or both
	Dropped  uint64 // too many at once, or the service did not keep up
	Failures uint64 // writes and uploads that failed
}

// Stats is what has become of decisions.
func (l *DecisionLog) Stats() DecisionStats {
	return DecisionStats{
		Logged: l.logged.Load(), Dropped: l.dropped.Load() + l.upload.dropped(),
		Failures: l.failures.Load() + l.upload.failed(),
	}
}
