package extproc

import (
	"sync"
	"time"

	"github.com/wonted-project/wonted/policy"
)

// flight is an exchange that has been opened before the Gate and not closed.
// Its stream works on it under mu, and so does whoever closes it in the
// stream's place: the sweep, or a newcomer that finds the table full.
//
// Lock order: a stream holds mu when it asks for the shard's lock, so whoever
// holds a shard's lock may only try mu. A flight that cannot be had that way is
// in use at this moment, and therefore not overdue.
//
// Once its response has begun, an exchange is closed by its stream alone.
// That costs nothing: the stream holds the memory anyway, and its end always
// comes. Otherwise a client would wait for the sweep and then read on unmetered.
type flight struct {
	mu      sync.Mutex
	c       policy.Case
	open    bool
	passing bool      // its response has begun
	last    time.Time // of the latest message
	entry   entry
}

// entry is a flight's place in its shard's list, guarded by the shard's lock.
type entry struct {
	prev, next *entry
	of         *flight
	shard      *shard    // nil: in no list
	since      time.Time // when it was put at the back
}

// table holds the open flights, oldest first, in shards: its locks are on the
// path of every exchange, but never all one lock.
type table struct {
	shards []shard
	limit  int // flights a shard
}

type shard struct {
	mu   sync.Mutex
	root entry // of a ring: next is the oldest
	n    int
	_    [64]byte // no two locks on one cache line
}

// shardSize is how many flights are worth a lock of their own.
const shardSize = 1024

func newTable(limit int) *table {
	n := 1
	for n < 64 && limit >= 2*n*shardSize {
		n *= 2
	}
	t := &table{shards: make([]shard, n), limit: max(1, limit/n)}
	for i := range t.shards {
		root := &t.shards[i].root
		root.prev, root.next = root, root
	}
	return t
}

// len is how many flights are open.
func (t *table) len() (n int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += s.n
		s.mu.Unlock()
	}
	return n
}

// add enters a flight. Over the limit the oldest that can be had leaves, and is
// returned locked: an attacker who holds streams open must not keep newcomers
// from being judged.
func (t *table) add(f *flight, now time.Time) (evicted *flight) {
	id := &f.c.Exchange.ID
	s := &t.shards[int(id[0])&(len(t.shards)-1)] // ids are random
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n >= t.limit {
		evicted = s.oldest(now)
	}
	f.entry.of, f.entry.shard = f, s
	s.push(&f.entry, now)
	s.n++
	return evicted
}

// oldest takes out the oldest flight that nobody is working on and whose
// response has not begun. It does not look far: that many exchanges in the
// middle of a call, or of a response, mean that the table is smaller
// than the machine is busy, and may grow by them.
func (s *shard) oldest(now time.Time) *flight {
	e := s.root.next
	for range min(64, s.n) {
		next := e.next
		if f := e.of; f.mu.TryLock() {
			if !f.passing {
				s.remove(e)
				return f
			}
			e.unlink() // out of the next one's way
			s.push(e, now)
			f.mu.Unlock()
		}
		e = next
	}
	return nil
}

// remove takes a flight out, if it is still in.
func (t *table) remove(f *flight) {
	s := f.entry.shard // set by add, cleared by others only while they hold f.mu
	if s == nil {
		return
	}
	s.mu.Lock()
	s.remove(&f.entry)
	s.mu.Unlock()
}

// overdue takes out the flights without a message since cutoff, and appends
// them to list, locked. Those whose response is passing are alive, unless all
// are to go.
func (s *shard) overdue(cutoff time.Time, all bool, list []*flight) []*flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.root.next
	for range s.n { // each once, although some go to the back
		next := e.next
		if e.since.After(cutoff) {
			break
		}
		switch f := e.of; {
		case !f.mu.TryLock():
		case f.last.After(cutoff), f.passing && !all: // alive: the list is only put right here
			e.unlink()
			s.push(e, f.last)
			f.mu.Unlock()
		default:
			s.remove(e)
			list = append(list, f)
		}
		e = next
	}
	return list
}

func (s *shard) push(e *entry, since time.Time) {
	e.since = since
	e.prev, e.next = s.root.prev, &s.root
	e.prev.next, e.next.prev = e, e
}

func (s *shard) remove(e *entry) {
	if e.shard == nil {
		return
	}
	e.unlink()
	*e = entry{}
	s.n--
}

func (e *entry) unlink() {
	e.prev.next, e.next.prev = e.next, e.prev
}
