package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/wonted-project/wonted/extproc"
	"github.com/wonted-project/wonted/scoring/profile"
)

// server is wonted behind gRPC on a Unix socket, in this process.
type server struct {
	*processor
	stream *extproc.Server
	reg    *prometheus.Registry
	socket string
	stop   func() error
}

func serve(s settings) (*server, error) {
	p, err := newProcessor(s.modest)
	if err != nil {
		return nil, err
	}
	sv := &server{processor: p, reg: prometheus.NewRegistry()}
	sv.stream = extproc.New(extproc.Config{
		Gate: p.gate, Identity: p.who, MaxOpen: s.open, Deadline: s.deadline, Registerer: sv.reg,
	})
	dir, err := os.MkdirTemp("", "flood-")
	if err != nil {
		return nil, err
	}
	sv.socket = filepath.Join(dir, "sock")
	l, err := net.Listen("unix", sv.socket)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	g := grpc.NewServer(append(extproc.ServerOptions(), grpc.WaitForHandlers(true))...)
	sv.stream.Register(g)
	served := make(chan error, 1)
	go func() { served <- g.Serve(l) }()
	ctx, cancel := context.WithCancel(context.Background())
	swept := make(chan struct{})
	go func() { sv.stream.Run(ctx); close(swept) }()
	sv.stop = func() error {
		g.Stop()
		cancel()
		<-swept
		p.store.Close()
		return errors.Join(<-served, os.RemoveAll(dir))
	}
	return sv, nil
}

// holdings are what must come back.
type holdings struct {
	goroutines, handles int
	heap, resident      int64
}

func measure() (h holdings, err error) {
	h.goroutines = runtime.NumGoroutine()
	if h.handles, err = handles(); err != nil {
		return h, err
	}
	h.heap = live()
	h.resident, err = swept()
	return h, err
}

// streams opens exchanges that never complete, twice. The first time leaves what
// Go keeps of its greatest extent (half a kilobyte for every goroutine that ever
// was, and maps); the second must add nothing.
func streams(r *report, s settings) (err error) {
	r.head("streams: %d exchanges opened over %d connections and never completed, %d may be open, deadline %v", s.streams, connections, s.open, s.deadline)
	sv, err := serve(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sv.stop()) }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := sv.others(ctx, 1000); err != nil {
		return err
	}
	time.Sleep(200 * time.Millisecond) // until the connections of these have gone
	before, err := measure()
	if err != nil {
		return err
	}
	var after [2]holdings
	for i := range after {
		if err := sv.flood(ctx, r, s, before, i > 0); err != nil {
			return err
		}
		if after[i], err = settle(before); err != nil {
			return err
		}
		a := &after[i]
		r.must(a.goroutines <= before.goroutines, "%d goroutines afterwards, %d before", a.goroutines, before.goroutines)
		r.must(a.handles <= before.handles, "%d handles afterwards, %d before", a.handles, before.handles)
	}
	first, second := &after[0], &after[1]
	r.must(second.heap <= first.heap+heapRoom, "%.1f MiB of heap before, %.1f after the first time, %.1f after the second: at most %d more",
		float64(before.heap)/mib, float64(first.heap)/mib, float64(second.heap)/mib, heapRoom/mib)
	r.machine(second.resident <= first.resident+first.resident/20, "resident %.1f MiB before, %.1f after the first time, %.1f after the second: at most 5 %% more",
		float64(before.resident)/mib, float64(first.resident)/mib, float64(second.resident)/mib)
	stuck := sv.inFlight()
	r.must(stuck == 0, "%d requests in flight by the profiles' count", stuck)
	ended := sv.metric("wonted_exchange_ends_total", "unknown")
	r.must(ended == 2*s.streams, "%d exchanges closed as unknown of %d", ended, 2*s.streams)
	return nil
}

// heapRoom is for what pools keep; a hundredth of what a leak would be.
const heapRoom = 2 << 20

// flood holds the exchanges open until the last is overdue.
func (sv *server) flood(ctx context.Context, r *report, s settings, before holdings, cut bool) error {
	overdue, full := sv.metric("wonted_swept_exchanges_total", "deadline"), sv.metric("wonted_swept_exchanges_total", "capacity")
	done := make(chan int)
	watch, stop := context.WithCancel(ctx)
	go func() { done <- sv.mostOpen(watch) }()
	start := time.Now()
	h, err := startHolder(ctx, sv.socket, s.streams)
	opened := time.Since(start)
	stop()
	most := <-done
	if err != nil {
		return err
	}
	// The table's shards may each hold a flight that could not be had.
	r.must(most <= s.open+64, "%d open at most, %d allowed; all sent within %v", most, s.open, opened.Round(time.Millisecond))
	now, err := resident()
	if err != nil {
		return errors.Join(err, h.leave(true))
	}
	r.say("%d goroutines, %.1f KiB resident a stream", runtime.NumGoroutine(), float64(now-before.resident)/1024/float64(s.streams))

	asked := time.Now()
	err = sv.others(ctx, 100)
	r.must(err == nil, "others are served meanwhile: 100 exchanges, %v each", (time.Since(asked) / 100).Round(time.Microsecond))
	last := start.Add(opened + s.deadline + s.deadline/2 + time.Second) // the sweep comes every thirtieth of the deadline
	swept := func() (late, crowded int) {
		return sv.metric("wonted_swept_exchanges_total", "deadline") - overdue, sv.metric("wonted_swept_exchanges_total", "capacity") - full
	}
	late, crowded := swept()
	for (sv.stream.Stats().Open > 0 || late+crowded < s.streams) && time.Now().Before(last) { // a sweep closes first and counts then
		time.Sleep(10 * time.Millisecond)
		late, crowded = swept()
	}
	r.must(sv.stream.Stats().Open == 0 && late+crowded == s.streams, "%d open after %v: %d closed at the deadline, %d when there was no room",
		sv.stream.Stats().Open, time.Since(start).Round(time.Second), late, crowded)
	return h.leave(cut)
}

// others completes n exchanges over connections of its own.
func (sv *server) others(ctx context.Context, n int) error {
	o, err := newOpener(sv.socket)
	if err != nil {
		return err
	}
	defer o.close()
	return o.complete(ctx, n)
}

// mostOpen follows how many exchanges are open.
func (sv *server) mostOpen(ctx context.Context) (most int) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		most = max(most, sv.stream.Stats().Open)
		select {
		case <-ctx.Done():
			return most
		case <-tick.C:
		}
	}
}

// settle waits for a while until what was held is back, and measures.
func settle(before holdings) (holdings, error) {
	for range 100 {
		if n, err := handles(); err != nil || n <= before.handles && runtime.NumGoroutine() <= before.goroutines {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return measure()
}

// inFlight is what the profiles count as under way.
func (sv *server) inFlight() (n int) {
	sv.store.Range(func(rec *profile.Record) bool {
		n += int(rec.InFlight)
		return true
	})
	return n
}

// metric is a counter with one label, by its value.
func (sv *server) metric(name, label string) int {
	families, err := sv.reg.Gather()
	if err != nil {
		panic(fmt.Sprintf("a collector is broken: %v", err))
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == label {
				return int(m.GetCounter().GetValue())
			}
		}
	}
	return 0
}
