package extproc

import (
	"sync/atomic"
	"time"

	"github.com/wonted-project/wonted/scoring"
)

// Sighting counts something that a rightly configured proxy does not do. After
// ten quiet minutes the count starts anew, so that what was mended is no longer
// reported. It costs nothing as long as there is nothing to see.
type Sighting struct {
	n    atomic.Uint64
	last atomic.Int64 // nanoseconds since the epoch, to the second
}

const quiet = 10 * time.Minute

// See counts one.
func (s *Sighting) See(now time.Time) {
	t, last := now.UnixNano(), s.last.Load()
	if t-last > int64(quiet) {
		s.n.Store(0)
	}
	if t-last > int64(time.Second) { // the cache line stays shared
		s.last.Store(t)
	}
	s.n.Add(1)
}

// Unsee takes one back that was none.
func (s *Sighting) Unsee() {
	if n := s.n.Load(); n > 0 {
		s.n.CompareAndSwap(n, n-1)
	}
}

// Count is how many there were.
func (s *Sighting) Count(now time.Time) uint64 {
	if now.UnixNano()-s.last.Load() > int64(quiet) {
		return 0
	}
	return s.n.Load()
}

// signs are what exchanges tell about the configuration of their proxy.
type signs struct {
	sourceless Sighting // requests without the attribute source.address

	// Exchanges whose request has passed and whose stream then ended without a
	// response, since the last one that had a response.
	silent struct{ n, answered atomic.Uint64 }

	// Answers that nobody waited for any more.
	late struct {
		Sighting
		soonest atomic.Int64 // after that many nanoseconds
	}
}

// hesitation is how long an answer must have taken to be called late. A client
// may go away at any moment, and takes its stream along; that it does so within
// the microseconds of a decision is rare, and says nothing about message_timeout,
// which nobody sets to so little.
const hesitation = 10 * time.Millisecond

// undelivered notes that an answer could not be sent. Envoy resets the stream
// when its message_timeout has passed. What a message has waited for before it
// was read is not seen here.
func (s *session) undelivered() {
	now := s.server.clock.now()
	took, late := now.Sub(s.last), &s.server.signs.late
	if took < hesitation {
		return
	}
	if soonest := late.soonest.Load(); late.Count(now) == 0 || int64(took) < soonest {
		late.soonest.Store(int64(took))
	}
	late.See(now)
}

// ended notes how a session's stream ended. The caller holds mu.
func (s *session) ended(end scoring.End) {
	if end != scoring.Unknown || !s.open || s.state != judged || s.owed {
		return
	}
	silent, answered := &s.server.signs.silent, s.server.answered.Load()
	if silent.answered.Swap(answered) != answered {
		silent.n.Store(0)
	}
	silent.n.Add(1)
}
