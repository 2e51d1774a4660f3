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
	shards   = 16
	sets     = 16   // of a shard
	suspects = 8    // of a set
	shared   = 2048 // exchanges of all others of a shard
)

// Recorder is the table. It is safe for concurrent use, and Record allocates
// nothing but the ring of a suspect that is the first to have its place.
type Recorder struct{ shards []shard }

// shard has the callers of one 16th of all keys. Whoever ends an exchange writes
// where the one before it wrote, into a line that is in the cache: hence there are
// few.
type shard struct {
	mu     sync.Mutex
	next   uint32 // in shared
	sets   [sets]set
	shared [shared]Exchange
}

// set has the suspects of one 16th of a shard's.
type set struct {
	keys  [suspects]uint64 // the lower halves of the suspects'; 0: none
	rings [suspects]*suspect
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
	s, set := r.of(who)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := set.find(who)
	if p == nil && !odd {
		s.shared[s.next%shared] = e
		s.next++
		return
	}
	if p == nil {
		p = s.admit(who, set)
	}
	if odd {
		p.last = e.seconds
	}
	p.add(&e)
}

// suspicious: it is worth remembering what else its caller does.
func suspicious(c *policy.Case) bool {
	a := &c.Exchange.Assessment
	return a.Anomalous || a.Threshold > 0 && a.Score >= a.Threshold/2 || c.Notable()
}

// Exchanges are the last of a caller, up to this one, in the order in which they
// ended; none of one that is not suspicious.
func (r *Recorder) Exchanges(who profile.Key) []Exchange {
	s, set := r.of(who)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := set.find(who); p != nil {
		return p.all()
	}
	return nil
}

// Forget erases a caller's.
func (r *Recorder) Forget(who profile.Key) {
	s, set := r.of(who)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, k := range set.keys {
		if k == who.Lo {
			set.keys[i], set.rings[i] = 0, nil
		}
	}
	for i := range s.shared {
		if s.shared[i].tag == uint32(who.Lo) {
			s.shared[i] = Exchange{}
		}
	}
}

func (r *Recorder) of(who profile.Key) (*shard, *set) {
	s := &r.shards[who.Hi%shards]
	return s, &s.sets[who.Hi/shards%sets]
}

// find is a suspect's ring; nil: it is none.
func (s *set) find(who profile.Key) *suspect {
	for i, k := range s.keys {
		if k == who.Lo && k != 0 {
			return s.rings[i]
		}
	}
	return nil
}

// admit gives a caller the ring of the one that was suspicious the longest ago,
// and into it what the shared one has of it.
func (s *shard) admit(who profile.Key, set *set) *suspect {
	at := 0
	for i, p := range set.rings {
		if p == nil {
			at, set.rings[i] = i, new(suspect)
			break
		}
		if p.last < set.rings[at].last {
			at = i
		}
	}
	p := set.rings[at]
	set.keys[at], p.n = who.Lo, 0
	for i := range uint32(shared) {
		if e := &s.shared[(s.next+i)%shared]; e.tag == uint32(who.Lo) && e.seconds != 0 {
			p.add(e)
		}
	}
	return p
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
