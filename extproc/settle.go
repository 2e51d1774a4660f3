package extproc

import (
	"time"

	"github.com/wonted-project/wonted/scoring"
)

// settle closes the exchange that an entry tells the end of. Its verdict can
// stop nothing any more, so the Gate is told that it is told.
func (s *Server) settle(e *logEntry, now time.Time) result {
	f, late, before := s.open.take(&e.id)
	switch {
	case before:
		return resultDuplicate
	case f == nil:
		return resultUnknown
	}
	defer f.unlock()
	ss := f.session
	defer func() {
		if p := recover(); p != nil {
			ss.broken = true // what a panic has touched is left to the garbage collector
			ss.end(scoring.Unknown)
			panic(p)
		}
	}()
	what := resultClosed
	if late {
		what = resultLate
		s.log.lost.Unsee()
		ss.revive(now)
	}
	f.c.Told = true
	ex := &f.c.Exchange
	e.answer(ex)
	if ex.Status != 0 {
		s.noteAnswer(ex)
		s.gate.Answer(&f.c, now)
	}
	ss.state = spent
	s.conclude(f, e.end(), e.took(), now)
	return what
}

// revive opens an exchange again that was closed as unknown when its end did
// not come: what a client takes slowly must count as well. See reopen.
func (s *session) revive(now time.Time) {
	s.c.Told = true
	s.reopen(now)
}
