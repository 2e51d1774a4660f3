package extproc

import (
	"sync"
	"time"

	"github.com/wonted-project/wonted/policy"
)

// flight is an exchange that has been opened before the Gate and not closed.
// Its stream works on it under mu, and so does whoever closes it in the
// stream's place: the access log, the sweep, or a newcomer that finds the table
// full.
//
// Lock order: a stream holds mu when it asks for the shard's lock, so whoever
// holds a shard's lock may only try mu. A flight that cannot be had that way is
// in use at this moment, and therefore not overdue.
//
// Once its response has begun on its stream, an exchange is closed by its
// stream alone. That costs nothing: the stream holds the memory anyway, and its
// end always comes. Otherwise a client would wait for the sweep and then read on
// unmetered.
//
// Where the end is awaited from the access log, the flight outlives its stream:
// the session is detached, and whoever takes the flight out of the table for
// good gives it back. Sessions are used again, so a pointer that was found by an
// id is worth something only while the index, looked at under both locks, still
// says so.
type flight struct {
	mu       sync.Mutex
	c        policy.Case
	open     bool
	passing  bool      // its response has begun
	awaited  bool      // its end comes from the access log
	detached bool      // its stream has ended, and did not end it
	last     time.Time // of the latest message
	entry    entry
	session  *session // that it is part of
}

// unlock gives up a flight, and with it a detached session that is in no queue
// any more. What a panic has touched is left to the garbage collector.
func (f *flight) unlock() {
	s := f.session
	back := f.detached && f.entry.shard == nil && !s.broken
	if back {
		s.reset()
	}
	f.mu.Unlock()
	if back {
		sessions.Put(s)
	}
}

// entry is a flight's place in a queue of its shard, guarded by the shard's
// lock; only who holds the flight's mu as well takes it out.
type entry struct {
	prev, next *entry
	of         *flight
	shard      *shard // nil: in no queue
	queue      *queue
	since      time.Time // when it was put at the back
}

// queue is a ring of entries.
type queue struct {
	root entry // next is the oldest
	n    int
}

// older: q has an entry older than all of other's.
func (q *queue) older(other *queue) bool {
	return q.n > 0 && (other.n == 0 || !other.root.next.since.Before(q.root.next.since))
}

func (q *queue) push(e *entry, since time.Time) {
	e.queue, e.since = q, since
	e.prev, e.next = q.root.prev, &q.root
	e.prev.next, e.next.prev = e, e
	q.n++
}

func (q *queue) remove(e *entry) {
	e.prev.next, e.next.prev = e.next, e.prev
	q.n--
}
