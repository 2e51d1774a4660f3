package extproc

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/wonted-project/wonted/scoring"
)

// table holds the open flights, oldest first, in shards: its locks are on the
// path of every exchange, but never all one lock.
type table struct {
	shards []shard
	limit  int // flights a shard
}

// shard holds three sorts of flights.
//
//	streaming  their streams will tell how they end
//	awaited    the access log will; found by their ids
//	late       closed as unknown, and kept in case the access log tells after
//	           all; found by their ids
//
// Envoy bounds its streams, but not what outlives them and still holds its
// request, about 12 KiB: so those have bounds of their own, a quarter and a
// sixteenth of all.
type shard struct {
	mu                       sync.Mutex
	streaming, awaited, late queue
	byID                     map[scoring.ID]*flight
	told                     [256]uint64 // ids that the log has told of, as far as they are not overwritten
	_                        [64]byte    // no two locks on one cache line
}

const (
	shardSize    = 1024 // how many flights are worth a lock of their own
	awaitedShare = 4
	lateShare    = 16
)

func newTable(limit int) *table {
	n := 1
	for n < 64 && limit >= 2*n*shardSize {
		n *= 2
	}
	t := &table{shards: make([]shard, n), limit: max(1, limit/n)}
	for i := range t.shards {
		s := &t.shards[i]
		s.byID = map[scoring.ID]*flight{}
		for _, q := range []*queue{&s.streaming, &s.awaited, &s.late} {
			q.root.prev, q.root.next = &q.root, &q.root
		}
	}
	return t
}

func (t *table) shard(id *scoring.ID) *shard {
	return &t.shards[int(id[0])&(len(t.shards)-1)] // ids are random
}

// len is how many flights are open, and how many of them the log shall end.
func (t *table) len() (open, awaited int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		open += s.streaming.n + s.awaited.n
		awaited += s.awaited.n
		s.mu.Unlock()
	}
	return open, awaited
}

// add enters a flight, whose mu the caller holds. Over the limit the oldest
// that can be had leaves, and is returned locked: an attacker who holds streams
// open must not keep newcomers from being judged.
func (t *table) add(f *flight, now time.Time) (evicted *flight) {
	s := t.shard(&f.c.Exchange.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	full := s.streaming.n+s.awaited.n+s.late.n >= t.limit
	switch {
	case f.awaited && s.awaited.n >= max(1, t.limit/awaitedShare):
		evicted = s.oldest(&s.awaited, now)
	case full && s.late.n > 0:
		s.dropLate()
	case full && s.streaming.older(&s.awaited):
		evicted = s.oldest(&s.streaming, now)
	case full:
		evicted = s.oldest(&s.awaited, now)
	}
	if evicted != nil && evicted.awaited {
		t.retire(s, evicted, now)
	}
	f.entry.of, f.entry.shard = f, s
	if f.awaited {
		s.awaited.push(&f.entry, now)
		s.byID[f.c.Exchange.ID] = f
	} else {
		s.streaming.push(&f.entry, now)
	}
	return evicted
}

// oldest takes out the oldest flight that nobody is working on and whose
// response has not begun. It does not look far: that many exchanges in the
// middle of a call, or of a response, mean that the table is smaller
// than the machine is busy, and may grow by them.
func (s *shard) oldest(q *queue, now time.Time) *flight {
	e := q.root.next
	for range min(64, q.n) {
		next := e.next
		if f := e.of; f.mu.TryLock() {
			if !f.passing {
				s.remove(f)
				return f
			}
			q.remove(e) // out of the next one's way
			q.push(e, now)
			f.mu.Unlock()
		}
		e = next
	}
	return nil
}

// retire keeps a flight that is being closed and that the log may still tell
// of. The caller holds its mu, and s.mu.
func (t *table) retire(s *shard, f *flight, now time.Time) {
	if s.late.n >= max(1, t.limit/lateShare) {
		s.dropLate()
	}
	f.entry.of, f.entry.shard = f, s
	s.late.push(&f.entry, now)
	s.byID[f.c.Exchange.ID] = f
}

// dropLate forgets the first of the oldest late flights that can be had.
func (s *shard) dropLate() {
	e := s.late.root.next
	for range min(64, s.late.n) {
		if f := e.of; f.mu.TryLock() {
			s.remove(f)
			f.unlock()
			return
		}
		e = e.next
	}
}

// remove takes a flight out, if it is still in. The caller holds f.mu.
func (t *table) remove(f *flight) {
	s := f.entry.shard
	if s == nil {
		return
	}
	s.mu.Lock()
	s.remove(f)
	s.mu.Unlock()
}

// take finds the flight of an id that the log tells of, takes it out and
// returns it locked; nil where there is none that waits for it. told says that
// the log has told of that id before.
func (t *table) take(id *scoring.ID) (f *flight, late, told bool) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	slot, print := &s.told[id[1]], binary.LittleEndian.Uint64(id[8:])
	if f = s.byID[*id]; f == nil {
		return nil, false, *slot == print
	}
	if !f.mu.TryLock() { // its stream is not done, or a sweep is at it
		s.mu.Unlock()
		f.mu.Lock()
		s.mu.Lock()
		if s.byID[*id] != f {
			f.mu.Unlock()
			return nil, false, *slot == print
		}
	}
	late = f.entry.queue == &s.late
	if !late && !f.awaited { // its response came on the stream after all
		f.mu.Unlock()
		return nil, false, false
	}
	s.remove(f)
	*slot = print
	return f, late, false
}

// cutoffs are the times before which the flights of each queue are overdue.
type cutoffs struct{ streaming, awaited, late time.Time }

// overdue takes out the flights without a message since their queue's cutoff,
// and appends them to list, locked. Those whose response is passing are alive,
// unless all are to go. What the log may still tell of is retired; what is late
// by its cutoff is forgotten.
func (t *table) overdue(s *shard, before cutoffs, all bool, now time.Time, list []*flight) []*flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range s.late.n {
		e := s.late.root.next
		f := e.of
		if e.since.After(before.late) || !f.mu.TryLock() {
			break
		}
		s.remove(f)
		f.unlock()
	}
	list = s.expired(&s.streaming, before.streaming, all, list)
	first := len(list)
	list = s.expired(&s.awaited, before.awaited, all, list)
	for _, f := range list[first:] {
		if f.awaited {
			t.retire(s, f, now)
		}
	}
	return list
}

func (s *shard) expired(q *queue, cutoff time.Time, all bool, list []*flight) []*flight {
	e := q.root.next
	for range q.n { // each once, although some go to the back
		next := e.next
		if e.since.After(cutoff) {
			break
		}
		switch f := e.of; {
		case !f.mu.TryLock():
		case f.last.After(cutoff), f.passing && !all: // alive: the list is only put right here
			q.remove(e)
			q.push(e, f.last)
			f.mu.Unlock()
		default:
			s.remove(f)
			list = append(list, f)
		}
		e = next
	}
	return list
}

// remove takes a flight out of its queue and out of the index.
func (s *shard) remove(f *flight) {
	e := &f.entry
	if e.shard == nil {
		return
	}
	if e.queue != &s.streaming {
		delete(s.byID, f.c.Exchange.ID)
	}
	e.queue.remove(e)
	*e = entry{}
}
