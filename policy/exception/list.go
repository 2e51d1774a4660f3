package exception

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wonted-project/wonted/scoring"
)

const (
	// Most is how many exceptions there may be, expired ones not counted.
	Most = 1000
	// Keep is how long an expired one stays listed.
	Keep = 30 * 24 * time.Hour
)

// List is all exceptions. It is safe for concurrent use; what asks it takes no
// lock.
type List struct {
	all atomic.Pointer[[]*entry] // never changed, but replaced
	mu  sync.Mutex               // held by who changes it
}

// entry is an exception as it is asked, and what came of it.
type entry struct {
	Exception
	matcher
	hits atomic.Uint64
	last atomic.Int64 // when it hit last, in nanoseconds since 1970
}

// New is a list without exceptions.
func New() *List {
	l := &List{}
	l.all.Store(&[]*entry{})
	return l
}

// Excepted is the first exception that lifts what rule wants of ex. It
// implements policy.Excepter.
func (l *List) Excepted(ex *scoring.Exchange, rule string) (id string, ok bool) {
	for _, e := range *l.all.Load() {
		if ex.Time.Before(e.Expires) && e.holds(ex, rule) {
			return e.ID, true
		}
	}
	return "", false
}

// Hit counts one exchange in which an exception lifted something.
func (l *List) Hit(id string, at time.Time) {
	for _, e := range *l.all.Load() {
		if e.ID == id {
			e.hits.Add(1)
			e.last.Store(at.UnixNano())
			return
		}
	}
}

// Add puts an exception in force, and gives it its id.
func (l *List) Add(x Exception, now time.Time) (Exception, error) {
	x.Created, x.Expires = now.UTC(), x.Expires.UTC()
	if err := x.check(now); err != nil {
		return x, err
	}
	m, err := x.compile()
	if err != nil {
		return x, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.kept(now)
	in := 0
	for _, e := range all {
		if now.Before(e.Expires) {
			in++
		}
	}
	if in >= Most {
		return x, fmt.Errorf("list: there are %d exceptions already; remove some, or write a rule allow that covers many", Most)
	}
	var random [4]byte
	rand.Read(random[:]) // never fails
	x.ID = "x-" + hex.EncodeToString(random[:])
	all = append(all, &entry{Exception: x, matcher: m})
	l.all.Store(&all)
	return x, nil
}

// Remove ends an exception before its time; it is listed no more.
func (l *List) Remove(id string, now time.Time) (x Exception, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.kept(now)
	i := slices.IndexFunc(all, func(e *entry) bool { return e.ID == id })
	if i < 0 {
		return x, false
	}
	x = all[i].Exception
	all = slices.Delete(all, i, i+1)
	l.all.Store(&all)
	return x, true
}

// kept is a copy of the list without those that expired long ago.
func (l *List) kept(now time.Time) []*entry {
	return slices.DeleteFunc(slices.Clone(*l.all.Load()), func(e *entry) bool { return now.Sub(e.Expires) > Keep })
}

// Listed is an exception with what came of it. Its JSON names are a contract.
type Listed struct {
	Exception
	State   string     `json:"state"` // active, expired
	Hits    uint64     `json:"hits"`  // exchanges in which it lifted something
	LastHit *time.Time `json:"last_hit,omitempty"`
}

// All are the exceptions as of now, those that end first first; expired ones
// come last.
func (l *List) All(now time.Time) []Listed {
	out := []Listed{}
	for _, e := range l.kept(now) {
		one := Listed{Exception: e.Exception, State: "active", Hits: e.hits.Load()}
		if !now.Before(e.Expires) {
			one.State = "expired"
		}
		if at := e.last.Load(); at != 0 {
			t := time.Unix(0, at).UTC()
			one.LastHit = &t
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b Listed) int {
		return cmp.Or(cmp.Compare(a.State, b.State), a.Expires.Compare(b.Expires), cmp.Compare(a.ID, b.ID))
	})
	return out
}
