package scoring

import (
	"sync/atomic"

	"github.com/wonted-project/wonted/scoring/profile"
)

// Touched appends the keys of all records that judging the exchange and learning
// from it may read or write, before Begin: for whoever plays an exchange that
// must not have happened, and puts the records back afterwards. The zero Key is
// among them where an entity is not there. What is kept beside records is for
// Lines, and what cohorts have in common for Rehearse; the table of routes learns
// all the same.
func (s *Scorer) Touched(ex *Exchange, keys []profile.Key) []profile.Key {
	for k := range ex.Entities {
		keys = append(keys, ex.Entities[k].Key)
	}
	route := s.routeOf(ex).ID
	return append(keys, ex.SignIn.User, routeKey(route), loginKey(route))
}

// Line is memory that an exchange may write beside records, and what was in it.
type Line struct {
	at  *[8]atomic.Uint64
	was [8]uint64
}

// Lines appends what the exchange may change beside records: who has touched its
// object, and from where its user has signed in. It comes after Begin and
// Attempt, before Complete. Of several exchanges the last is put back first.
func (s *Scorer) Lines(ex *Exchange, lines []Line) []Line {
	if object := ex.Route.Object; object != 0 {
		lines = append(lines, lineOf(s.store.Owners().Line(object)))
	}
	if a := &ex.scratch.attempt; a.open {
		lines = append(lines, lineOf(s.pairs.set(a.pair)), lineOf(s.pairs.set(a.user)))
	}
	return lines
}

func lineOf(at *[8]atomic.Uint64) Line {
	l := Line{at: at}
	for i := range at {
		l.was[i] = at[i].Load()
	}
	return l
}

// PutBack makes it what it was.
func (l *Line) PutBack() {
	for i, e := range l.was {
		l.at[i].Store(e)
	}
}
