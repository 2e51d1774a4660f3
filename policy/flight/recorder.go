package flight

import (
	"sync"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Kept is how many exchanges of a suspect are kept.
const Kept = 64

const (
	shards   = 256
	suspects = 8   // of a shard
	shared   = 128 // exchanges of all others of a shard
)

// Recorder is the table. It is safe for concurrent use, and Record allocates
// nothing.
type Recorder struct{ shards []shard }

// shard has the callers of one 256th of all keys.
type shard struct {
	mu       sync.Mutex
	next     uint32           // in shared
	keys     [suspects]uint64 // the lower halves of the suspects' keys; 0: none
	shared   [shared]Exchange
	suspects [suspects]suspect
}

// suspect is one caller's own ring.
type suspect struct {
	last uint32 // second in which it was suspicious
	n    uint32 // exchanges taken in
	ring [Kept]Exchange
}

// New is one that has seen nothing.
func New() *Recorder { return &Recorder{make([]shard, shards)} }

// Record implements policy.Recorder.
func (r *Recorder) Record(c *policy.Case, end scoring.End) {
	who := policy.Principal(&c.Exchange).Key
	if who == (profile.Key{}) {
		return
	}
	e, odd := taken(c, end), suspicious(c)
	e.tag = uint32(who.Lo)
	s := r.of(who)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(who)
	if i < 0 && !odd {
		s.shared[s.next%shared] = e
		s.next++
		return
	}
	if i < 0 {
		i = s.admit(who)
	}
	if odd {
		s.suspects[i].last = e.seconds
	}
	s.suspects[i].add(&e)
}

// suspicious: it is worth remembering what else its caller does.
func suspicious(c *policy.Case) bool {
	a := &c.Exchange.Assessment
	return a.Anomalous || a.Threshold > 0 && a.Score >= a.Threshold/2 || c.Notable()
}

// Exchanges are the last of a caller, up to this one, in the order in which they
// ended; none of one that is not suspicious.
func (r *Recorder) Exchanges(who profile.Key) []Exchange {
	s := r.of(who)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(who)
	if i < 0 {
		return nil
	}
	return s.suspects[i].all()
}

// Forget erases a caller's.
func (r *Recorder) Forget(who profile.Key) {
	s := r.of(who)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.find(who); i >= 0 {
		s.keys[i], s.suspects[i] = 0, suspect{}
	}
	for i := range s.shared {
		if s.shared[i].tag == uint32(who.Lo) {
			s.shared[i] = Exchange{}
		}
	}
}

func (r *Recorder) of(who profile.Key) *shard { return &r.shards[who.Hi%shards] }

// find is the place of a suspect; -1: it is none.
func (s *shard) find(who profile.Key) int {
	for i, k := range s.keys {
		if k == who.Lo && k != 0 {
			return i
		}
	}
	return -1
}

// admit gives a caller the ring of the one that was suspicious the longest ago,
// and into it what the shared one has of it.
func (s *shard) admit(who profile.Key) int {
	at := 0
	for i := range s.suspects {
		if s.suspects[i].last < s.suspects[at].last {
			at = i
		}
	}
	p := &s.suspects[at]
	s.keys[at], p.n = who.Lo, 0
	for i := range uint32(shared) {
		if e := &s.shared[(s.next+i)%shared]; e.tag == uint32(who.Lo) && e.seconds != 0 {
			p.add(e)
		}
	}
	return at
}

func (p *suspect) add(e *Exchange) {
	p.ring[p.n%Kept] = *e
	p.n++
}

func (p *suspect) all() []Exchange {
	n := min(p.n, Kept)
	all := make([]Exchange, n)
	for i := range n {
		all[i] = p.ring[(p.n-n+i)%Kept]
	}
	return all
}
