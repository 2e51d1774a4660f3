package main

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"github.com/wonted-project/wonted/policy"
)

const (
	reportQueue = 256 // reports that wait for the log
	reportRate  = 10  // a second; an attack must not fill the disk
	reportBurst = 50
)

// reportLog writes what was odd into the log, off the request path: a report
// that finds the queue full is dropped and counted, and one beyond the rate is
// counted into the next that is written.
type reportLog struct {
	log     zerolog.Logger
	queue   queue[*policy.Report]
	limit   *rate.Limiter
	unsaid  int64 // touched by Run only
	dropped atomic.Uint64
	quiet   atomic.Uint64
}

func newReportLog(log zerolog.Logger, reg prometheus.Registerer) *reportLog {
	r := &reportLog{
		log:   log,
		queue: make(queue[*policy.Report], reportQueue),
		limit: rate.NewLimiter(reportRate, reportBurst),
	}
	publish(reg, "wonted_reports_dropped_total", "Reports of unusual exchanges that were lost because the log did not keep up.", r.dropped.Load)
	publish(reg, "wonted_reports_suppressed_total", "Reports that were counted in the log and not written out, to bound its size.", r.quiet.Load)
	return r
}

// sinks are all told.
type sinks []policy.Sink

// Report implements policy.Sink.
func (all sinks) Report(r *policy.Report) {
	for _, s := range all {
		s.Report(r)
	}
}

// Report implements policy.Sink; it never blocks.
func (r *reportLog) Report(rep *policy.Report) {
	if !r.queue.put(rep) {
		r.dropped.Add(1)
	}
}

// Run writes reports until ctx is done, then those that wait.
func (r *reportLog) Run(ctx context.Context) {
	r.queue.run(ctx, r.write)
}

func (r *reportLog) write(rep *policy.Report) {
	if !r.limit.AllowN(rep.Time, 1) {
		r.unsaid++
		r.quiet.Add(1)
		return
	}
	e := r.log.Info()
	if rep.Mode == policy.Enforce.String() && rep.Action != policy.Allow.String() {
		e = r.log.Warn()
	}
	var why []string
	for _, f := range rep.Evidence {
		why = append(why, f.Summary)
	}
	if len(rep.Quarantine) > 0 {
		e = e.Interface("quarantine", rep.Quarantine)
	}
	if len(rep.Shadow) > 0 {
		e = e.Interface("shadow", rep.Shadow)
	}
	if len(rep.Rules) > 0 {
		e = e.Strs("rules", rep.Rules)
	}
	if r.unsaid > 0 {
		e = e.Int64("suppressed", r.unsaid)
		r.unsaid = 0
	}
	e.Str("id", rep.ID).Str("identity", rep.Identity).Str("kind", rep.Kind).Str("route", rep.Route).
		Str("action", rep.Action).Str("mode", rep.Mode).Int("status", rep.Status).
		Float64("score", rep.Score).Str("reason", rep.Reason).Int64("records", rep.Records).Int64("bytes", rep.Bytes).
		Float64("threshold", rep.Threshold).Bool("anomalous", rep.Anomalous).Interface("evidence", rep.Evidence).
		Str("why", strings.Join(why, "; ")).Msg("unusual exchange")
}
