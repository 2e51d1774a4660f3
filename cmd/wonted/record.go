package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/recorded"
)

const (
	recordLines = 8192     // lines that wait for the disk
	recordBytes = 16 << 20 // and what they hold together
	recordBatch = 64 << 10 // what one write takes, about
	recordSpare = 32 << 10 // lines that are longer are not kept for reuse
)

// recorder writes every exchange down. An exchange is encoded where it ends, on
// its stream's goroutine, since its bytes are gone afterwards; one goroutine
// writes. What finds the queue full is dropped and counted: a slow disk costs
// lines, never a request's time.
type recorder struct {
	redact  *recorded.Redactor
	who     func() *identity.Resolver
	out     io.WriteCloser
	log     recordLog
	queue   queue[*[]byte]
	waiting atomic.Int64 // bytes in the queue
	lines   sync.Pool

	recorded, dropped, failures atomic.Uint64
}

// newRecorder makes a recorder that hashes under key, among others these
// headers, and writes to out. Something must run it.
func newRecorder(out io.WriteCloser, key identity.Secret, headers []string, who func() *identity.Resolver, log zerolog.Logger, reg prometheus.Registerer) *recorder {
	r := &recorder{
		redact: recorded.NewRedactor(key.Recording(), headers...),
		who:    who,
		out:    out,
		log:    newRecordLog(log, "exchanges"),
		queue:  make(queue[*[]byte], recordLines),
		lines:  sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }},
	}
	publish(reg, "wonted_record_exchanges_total", "Exchanges that are in the recording.", r.recorded.Load)
	publish(reg, "wonted_record_dropped_total", "Exchanges that are missing in the recording, because the disk did not keep up or could not be written.", r.dropped.Load)
	publish(reg, "wonted_record_failures_total", "Writes to the recording that failed.", r.failures.Load)
	return r
}

// Record implements policy.Recorder; it never blocks.
func (r *recorder) Record(c *policy.Case, end scoring.End) {
	if r.waiting.Load() > recordBytes {
		r.dropped.Add(1)
		return
	}
	line := r.lines.Get().(*[]byte)
	ex := &c.Exchange
	*line = r.redact.Append((*line)[:0], ex, recorded.Rest{Declared: c.Declared(), End: end, Vouched: r.vouched(ex)})
	n := int64(len(*line))
	r.waiting.Add(n)
	if !r.queue.put(line) {
		r.waiting.Add(-n)
		r.dropped.Add(1)
		r.spare(line)
	}
}

// vouched is what the proxy says of the caller, for the identity rules.
func (r *recorder) vouched(ex *scoring.Exchange) []recorded.Vouched {
	if len(ex.Metadata) == 0 && len(ex.PeerURISAN) == 0 && len(ex.PeerDNSSAN) == 0 {
		return nil
	}
	var room [8]identity.Vouched
	var all []recorded.Vouched
	for _, v := range r.who().Vouched(room[:0], ex) {
		all = append(all, recorded.Vouched(v))
	}
	return all
}

func (r *recorder) spare(line *[]byte) {
	if cap(*line) <= recordSpare {
		r.lines.Put(line)
	}
}

// run writes until ctx is done, then what waits, and closes the recording.
func (r *recorder) run(ctx context.Context) {
	batch, count := make([]byte, 0, 2*recordBatch), 0
	r.queue.run(ctx, func(line *[]byte) {
		batch = append(batch, *line...)
		count++
		r.waiting.Add(-int64(len(*line)))
		r.spare(line)
		if len(batch) >= recordBatch || len(r.queue) == 0 {
			r.write(batch, count)
			batch, count = batch[:0], 0
		}
	})
	if err := r.out.Close(); err != nil {
		r.log.failed(err, r.dropped.Load())
	}
}

// write writes whole lines, or loses them all and says so.
func (r *recorder) write(batch []byte, count int) {
	if _, err := r.out.Write(batch); err != nil {
		r.failures.Add(1)
		r.dropped.Add(uint64(count))
		r.log.failed(err, r.dropped.Load())
		return
	}
	r.recorded.Add(uint64(count))
	r.log.written(r.dropped.Load())
}

// recorders all take exchanges down.
type recorders []policy.Recorder

// Record implements policy.Recorder.
func (all recorders) Record(c *policy.Case, end scoring.End) {
	for _, r := range all {
		r.Record(c, end)
	}
}

// openRecorders are the flight recorder and the one that the configuration may
// ask for.
func (s *service) openRecorders() (policy.Recorder, error) {
	c := &s.cfg.Record
	if c.Path == "" {
		return s.flights, nil
	}
	f, err := recorded.OpenFile(c.Path, int64(c.MaxBytes), c.Keep)
	if err != nil {
		return nil, advise(fmt.Errorf("record: %w", err), "record.path (--record) names a file that this user can write, in a directory that is there")
	}
	s.recorder = newRecorder(f, s.key, naming(s.cfg), s.resolver.Load, s.log, s.reg)
	return recorders{s.flights, s.recorder}, nil
}

// naming are the headers that name somebody.
func naming(cfg *config.Config) []string {
	headers := cfg.Login.Headers()
	for _, rule := range cfg.Identity {
		if rule.Header != "" {
			headers = append(headers, rule.Header)
		}
	}
	return headers
}
