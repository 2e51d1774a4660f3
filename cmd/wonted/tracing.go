package main

import (
	"context"

	"github.com/wonted-project/wonted/cmd/wonted/internal/tracing"
	"github.com/wonted-project/wonted/policy"
)

// openTracing adds the tracer that the configuration may ask for to what takes
// exchanges down.
func (s *service) openTracing(others policy.Recorder) (policy.Recorder, error) {
	c := &s.cfg.Tracing
	if c.Endpoint == "" {
		return others, nil
	}
	log := newRecordLog(s.log, "traces")
	t, err := tracing.New(tracing.Config{
		Endpoint: c.Endpoint, Ratio: c.Ratio, CA: c.CA, Version: thisBuild().Version,
		Sent: log.written, Failed: log.failed,
	})
	if err != nil {
		return nil, advise(err, "mend tracing in the configuration, or leave tracing.endpoint empty")
	}
	publish(s.reg, "wonted_trace_spans_total", "Spans that the OTLP receiver has taken.", t.Sent)
	publish(s.reg, "wonted_trace_spans_lost_total", "Spans that were lost, because too many came at once or the OTLP receiver did not take them.", t.Lost)
	s.tracer = t
	return recorders{others, t}, nil
}

// trace sends spans until ctx is done, then those that wait.
func (s *service) trace(ctx context.Context) {
	if err := s.tracer.Run(ctx); err != nil {
		s.log.Warn().Err(err).Msg("the last traces are lost: their receiver did not take them in time")
	}
}
