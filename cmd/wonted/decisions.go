package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/flight"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/recorded"
)

const (
	decisionsFile   = "decisions.jsonl" // in data_dir
	decisionsInMind = 2048
	decisionQueue   = 1024 // that wait to be taken in
	decisionBytes   = 16 << 20
	decisionFiles   = 3 // full ones, beside the one that is written
)

// decision is a verdict as it is kept: with what the flight recorder had of the
// caller, up to the exchange itself, as flight.Encode writes it. Its JSON names
// are those of the file.
type decision struct {
	policy.Report
	Flight []byte `json:"flight,omitempty"`
}

// decisions keeps the verdicts that were not plainly allowed, so that they can
// be explained later: the latest in memory, and with data_dir many more in a
// file that is rotated. What finds the queue full is dropped and counted: a
// slow disk costs explanations, never a request's time.
type decisions struct {
	name    string // of the file; "": memory only
	flights *flight.Recorder
	queue   queue[*decision]

	mu     sync.Mutex
	latest []*decision // a ring
	next   int         // where the next one comes
	known  map[string]*decision
	file   *recorded.File // nil: memory only
	log    recordLog

	dropped, failures atomic.Uint64
}

// openDecisions begins with what the file holds; dir is "" where nothing is to
// outlive the process.
func openDecisions(dir string, flights *flight.Recorder, log zerolog.Logger, reg prometheus.Registerer) (*decisions, error) {
	d := &decisions{
		flights: flights,
		queue:   make(queue[*decision], decisionQueue),
		latest:  make([]*decision, decisionsInMind),
		known:   make(map[string]*decision, decisionsInMind),
		log:     newRecordLog(log, "decisions"),
	}
	publish(reg, "wonted_decisions_dropped_total", "Decisions that wonted why cannot explain, because too many came at once.", d.dropped.Load)
	publish(reg, "wonted_decisions_failures_total", "Decisions that could not be written to data_dir.", d.failures.Load)
	if dir == "" {
		return d, nil
	}
	d.name = filepath.Join(dir, decisionsFile)
	var err error
	if d.file, err = recorded.OpenFile(d.name, decisionBytes, decisionFiles); err != nil {
		return nil, advise(fmt.Errorf("decisions: %w", err), "make %s a file that this user can write, or remove it", d.name)
	}
	old, err := newestDecisions(d.name, decisionFiles, len(d.latest))
	if err != nil {
		log.Warn().Err(err).Msg("decisions of before cannot be read: wonted why knows only new ones")
	}
	for _, r := range old {
		d.remember(r)
	}
	return d, nil
}

// Report implements policy.Sink; it never blocks.
func (d *decisions) Report(r *policy.Report) {
	if len(d.queue) == cap(d.queue) { // or what was before would be encoded for nothing
		d.dropped.Add(1)
		return
	}
	var acts []byte
	if who, ok := parseKey(r.Key); ok {
		acts = flight.Encode(d.flights.Exchanges(who))
	}
	if !d.queue.put(&decision{*r, acts}) {
		d.dropped.Add(1)
	}
}

// run takes decisions in until ctx is done, then those that wait.
func (d *decisions) run(ctx context.Context) {
	d.queue.run(ctx, d.take)
	d.close()
}

func (d *decisions) take(r *decision) {
	if r.Trace != nil {
		r.Fired, r.Trace = r.Trace(), nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remember(r)
	if d.file == nil {
		return
	}
	line, err := json.Marshal(r)
	if err == nil {
		_, err = d.file.Write(append(line, '\n'))
	}
	if err != nil {
		d.failures.Add(1)
		d.log.failed(err, d.failures.Load())
		return
	}
	d.log.written(d.failures.Load())
}

// remember puts it in the place of the oldest.
func (d *decisions) remember(r *decision) {
	if old := d.latest[d.next]; old != nil && d.known[old.ID] == old {
		delete(d.known, old.ID)
	}
	d.latest[d.next], d.known[r.ID] = r, r
	d.next = (d.next + 1) % len(d.latest)
}

// find looks for one by its id, 32 hex digits in lower case: in memory, then in
// the files. It is nil where it is not kept (any more).
func (d *decisions) find(id string) (*decision, error) {
	d.mu.Lock()
	r := d.known[id]
	d.mu.Unlock()
	if r != nil || d.name == "" {
		return r, nil
	}
	return searchDecisions(d.name, decisionFiles, id)
}

// newest returns up to n from memory, the newest first.
func (d *decisions) newest(n int) []*decision {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := []*decision{}
	for i := 1; i <= len(d.latest) && len(all) < n; i++ {
		r := d.latest[(d.next+len(d.latest)-i)%len(d.latest)]
		if r != nil { // else it was forgotten, or there were never so many
			all = append(all, r)
		}
	}
	return all
}

// since is the time from which on decisions are kept; zero: there are none.
func (d *decisions) since() time.Time {
	if d.name != "" {
		if t, ok := oldestDecision(d.name, decisionFiles); ok {
			return t
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.latest { // the oldest is the next to go
		if r := d.latest[(d.next+i)%len(d.latest)]; r != nil {
			return r.Time
		}
	}
	return time.Time{}
}

// forget erases the decisions on somebody, here and in the files.
func (d *decisions) forget(who profile.Key) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := policy.Hash(who)
	for i, r := range d.latest {
		if r != nil && r.Key == key {
			delete(d.known, r.ID)
			d.latest[i] = nil
		}
	}
	if d.file == nil {
		return nil
	}
	// The next Write opens it again.
	return errors.Join(d.file.Close(), eraseDecisions(d.name, decisionFiles, key))
}

func (d *decisions) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file != nil {
		if err := d.file.Close(); err != nil {
			d.log.failed(err, d.failures.Load())
		}
	}
}
