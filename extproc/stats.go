package extproc

import "time"

// Stats is what a readiness check wants to know.
type Stats struct {
	Open     int    // exchanges whose end is still to come
	Awaited  int    // of them, those whose end is to come from the access log
	Opened   uint64 // exchanges begun, or opened again
	Answered uint64 // of them, those whose response headers came: none, where Envoy ignores mode_override

	// The access log.
	Logs        int    // streams that are connected: one a worker of each Envoy, from its first entry on
	Entries     uint64 // entries read
	Unprotected uint64 // lately: requests that reached an upstream without having been judged
	Lost        uint64 // lately: exchanges whose entry did not come in time

	// What a rightly configured proxy does not do.
	Silent     uint64        // streams ended after the request, since the last one with a response
	Bodiless   uint64        // requests whose body was asked for, where none has ever come
	Sourceless uint64        // requests lately without the attribute source.address
	Late       uint64        // answers lately that nobody waited for
	LateAfter  time.Duration // how soon the first of them was late already

	Ahead time.Duration // of the system's clock, which was set back
}

// Stats counts.
func (s *Server) Stats() Stats {
	now := s.clock.now()
	st := Stats{
		Opened: s.opened.Load(), Answered: s.answered.Load(),
		Logs:        int(s.log.streams.Load()),
		Entries:     s.log.entries.Load(),
		Unprotected: s.log.unprotected.Count(now),
		Lost:        s.log.lost.Count(now),
		Bodiless:    s.bodies.unheard(),
		Sourceless:  s.signs.sourceless.Count(now),
		Late:        s.signs.late.Count(now),
		Ahead:       time.Duration(s.clock.ahead.Load()),
	}
	st.Open, st.Awaited = s.open.len()
	if silent := &s.signs.silent; silent.answered.Load() == st.Answered {
		st.Silent = silent.n.Load()
	}
	if st.Late > 0 {
		st.LateAfter = time.Duration(s.signs.late.soonest.Load())
	}
	return st
}
