package policy

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// at is when everything in these tests happens.
var at = time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)

// scorer writes down what it is told, and assesses as its functions say.
type scorer struct {
	calls             []string
	ends              []scoring.End
	begin, see, meter func(*scoring.Exchange)
	attempt           func(*scoring.Exchange)
}

func (s *scorer) note(call string, ex *scoring.Exchange, f func(*scoring.Exchange)) {
	s.calls = append(s.calls, call)
	if f != nil {
		f(ex)
	}
}

func (s *scorer) Begin(ex *scoring.Exchange)               { s.note("begin", ex, s.begin) }
func (s *scorer) Attempt(ex *scoring.Exchange)             { s.note("attempt", ex, s.attempt) }
func (s *scorer) Answer(ex *scoring.Exchange, _ time.Time) { s.note("answer", ex, s.see) }
func (s *scorer) Meter(ex *scoring.Exchange, _ time.Time)  { s.note("meter", ex, s.meter) }
func (s *scorer) Complete(_ *scoring.Exchange, end scoring.End, _ time.Time) {
	s.calls = append(s.calls, "complete")
	s.ends = append(s.ends, end)
}

// decider says what it is told to say at each phase.
type decider struct {
	at    map[Phase]*Decision
	err   error
	reads map[Phase]bool
	asked []Phase
	hook  func(ctx context.Context, in *Input)
}

func (d *decider) Decide(ctx context.Context, in *Input) (*Decision, error) {
	d.asked = append(d.asked, in.Phase)
	if d.hook != nil {
		d.hook(ctx, in)
	}
	if d.err != nil {
		return nil, d.err
	}
	if x, ok := d.at[in.Phase]; ok {
		return x, nil
	}
	return d.at[PhaseRequest], nil
}

func (d *decider) Reads(p Phase) bool { return d.reads[p] }

func saying(d Decision) *decider { return &decider{at: map[Phase]*Decision{PhaseRequest: &d}} }

type reports []*Report

func (r *reports) Report(x *Report) { *r = append(*r, x) }

// bench is a Gate with everything around it.
type bench struct {
	*Gate
	scorer  *scorer
	reports reports
	metrics *prometheus.Registry
}

func newBench(d Decider, change func(*Config)) *bench {
	b := &bench{scorer: &scorer{}, metrics: prometheus.NewRegistry()}
	cfg := Config{Scorer: b.scorer, Decider: d, Mode: Enforce, Sink: &b.reports, Log: zerolog.Nop(), Registerer: b.metrics}
	if change != nil {
		change(&cfg)
	}
	b.Gate = NewGate(cfg)
	return b
}

func shadow(c *Config) { c.Mode = Shadow }

// request is a case whose request has come.
func request() *Case {
	c := &Case{}
	ex := &c.Exchange
	ex.ID = scoring.ID{1, 2, 3}
	ex.Time = at
	ex.Method = []byte("GET")
	ex.Route.Name = "GET /v1/orders"
	ex.Entities[profile.KindCaller] = scoring.Identity{Kind: profile.KindCaller, Key: profile.Key{Lo: 7}, Name: []byte("acme")}
	ex.Assessment.Threshold = 4
	ex.Assessment.Mature = true
	ex.ResponseBytes, ex.Records = -1, -1
	return c
}

// respond is what the carrier sets at the response headers.
func respond(c *Case, status int, size int64) {
	c.Exchange.Status, c.Exchange.ResponseBytes, c.Exchange.Records = status, size, -1
}

// value reads one series; labels are name, value, name, value.
func (b *bench) value(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	families, err := b.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if matches(m, labels) {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no series %s %v", name, labels)
	return 0
}

func matches(m *dto.Metric, labels []string) bool {
	have := map[string]string{}
	for _, l := range m.GetLabel() {
		have[l.GetName()] = l.GetValue()
	}
	for i := 0; i < len(labels); i += 2 {
		if have[labels[i]] != labels[i+1] {
			return false
		}
	}
	return true
}
