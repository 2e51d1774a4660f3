package extproc

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wonted-project/wonted/scoring"
)

// close ends an open exchange before the Gate. The caller holds f.mu.
func (s *Server) close(f *flight, end scoring.End, now time.Time) {
	s.open.remove(f)
	s.conclude(f, end, now.Sub(f.c.Exchange.Time), now)
}

// conclude is close for a flight that is out of its queue already.
func (s *Server) conclude(f *flight, end scoring.End, took time.Duration, now time.Time) {
	if !f.open {
		return
	}
	f.open = false // first: a panic below must not lead here again
	s.metrics.ended[end].Inc()
	s.metrics.open.Dec()
	f.c.Exchange.Duration = took
	s.gate.Close(&f.c, end, now)
}

// Run closes overdue exchanges until ctx is done.
func (s *Server) Run(ctx context.Context) {
	tick := time.NewTicker(min(max(s.deadline/30, 100*time.Millisecond), 10*time.Second))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.Sweep(s.clock.now())
		}
	}
}

// An exchange whose end the log shall tell waits for as long as one whose
// stream is open, since Envoy may still be at it. While no log is connected it
// waits for less: Envoy loses what it cannot send, and exchanges that nobody
// tells of would pile up. What the log tells after all is judged then, for as
// long as the request is kept.
const (
	orphaned = 30 * time.Second
	keptLate = time.Hour
)

// Sweep closes the exchanges whose request has gone on and of which nothing was
// heard for the deadline, as unknown, and says how many. If a response, or a log
// entry, comes after all, they are opened again.
func (s *Server) Sweep(now time.Time) int {
	before := cutoffs{streaming: now.Add(-s.deadline), awaited: now.Add(-s.deadline), late: now.Add(-keptLate)}
	if s.log.streams.Load() == 0 {
		before.awaited = now.Add(-min(s.deadline, orphaned))
	}
	return s.closeIdle(before, false, now, s.metrics.swept.deadline)
}

// Drain closes all open exchanges, as unknown: the process ends and what their
// callers have done until now should be in its snapshot.
func (s *Server) Drain() int {
	now := s.clock.now()
	return s.closeIdle(cutoffs{now, now, now}, true, now, s.metrics.swept.drain)
}

func (s *Server) closeIdle(before cutoffs, all bool, now time.Time, why prometheus.Counter) (closed int) {
	var list []*flight
	for i := range s.open.shards {
		list = s.open.overdue(&s.open.shards[i], before, all, now, list[:0])
		for _, f := range list {
			if f.awaited && !all {
				s.log.lost.See(now)
			}
			s.closeFor(f, now, why)
		}
		closed += len(list)
	}
	return closed
}

// closeFor closes a locked flight in its stream's place, and unlocks it.
func (s *Server) closeFor(f *flight, now time.Time, why prometheus.Counter) {
	defer f.unlock()
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p)
			f.session.broken = f.detached
			s.open.remove(f)
		}
	}()
	why.Inc()
	s.conclude(f, scoring.Unknown, now.Sub(f.c.Exchange.Time), now)
}
