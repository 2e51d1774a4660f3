package quarantine

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Standing remembers which callers in good standing have used an address, a
// network or a device within a week: mature ones, whose requests were accepted
// and not unusual. It is what a block of it would cost. Until the first of all is
// mature, a day after wonted came, those count whose requests were so, mature or
// not.
//
// It is bounded: of each place up to 64 callers by 32 bits of their keys, and of
// each kind as many places as there are slots. A new place takes the slot of its
// bucket that knows the fewest callers, so that what many use stays known.
type Standing struct {
	noted   [1 << 15]atomic.Uint32 // marks of what was noted today: nearly all that comes was
	kinds   [3]places
	matured atomic.Bool // somebody is mature
}

const (
	counted   = 64 // callers of a place; more are "64 or more"
	inBucket  = 8
	week      = 7 // days
	ofAddress = 0
	ofNetwork = 1
	ofDevice  = 2
)

type places struct {
	mu      sync.Mutex
	buckets []bucket
}

type bucket struct {
	keys   [inBucket]uint64 // the lower halves of the places' keys: they lie together
	places [inBucket]*place
}

type place struct {
	key    profile.Key
	prefix netip.Prefix // none of a device
	n      int
	who    [counted]uint32
	day    [counted]uint16 // since 1970
}

func newStanding() *Standing {
	s := &Standing{}
	for kind, buckets := range [...]int{ofAddress: 1024, ofNetwork: 1024, ofDevice: 128} {
		s.kinds[kind].buckets = make([]bucket, buckets)
	}
	return s
}

// Note implements policy.Quarantines.
func (t *Table) Note(ex *scoring.Exchange, now time.Time) {
	who := policy.Principal(ex)
	if ex.Status >= 400 || who.Kind == profile.KindNone || !t.standing.counts(ex.Assessment.Mature) {
		return
	}
	s, of, day := t.standing, &ex.Entities, today(now)
	if s.isNoted(who.Key, of[profile.KindAddress].Key, of[profile.KindDevice].Key, day) {
		return
	}
	s.note(who, &of[profile.KindAddress], host(ex.Address), ofAddress, day)
	s.note(who, &of[profile.KindNetwork], network(ex.Address), ofNetwork, day)
	s.note(who, &of[profile.KindDevice], netip.Prefix{}, ofDevice, day)
}

func (s *Standing) counts(mature bool) bool {
	known := s.matured.Load()
	if mature && !known {
		s.matured.Store(true)
	}
	return mature || !known
}

func today(now time.Time) uint16 { return uint16(now.Unix() / 86400) }

// short is a caller as a place remembers it.
func short(k profile.Key) uint32 { return uint32(k.Hi) }

// isNoted says whether the caller was noted that day with this address, and so
// with its network, and this device; if not, it is from now on. It may forget, and
// then they are noted once more.
func (s *Standing) isNoted(who, address, device profile.Key, day uint16) bool {
	const odd = 0x9e3779b97f4a7c15
	h := ((who.Lo*odd^address.Lo)*odd ^ device.Lo ^ uint64(day)) * odd // keys are hashes already
	at, mark := &s.noted[h>>49], uint32(h>>16)|1
	if at.Load() == mark {
		return true
	}
	at.Store(mark)
	return false
}

func (s *Standing) note(who, at *scoring.Identity, p netip.Prefix, kind int, day uint16) {
	if at.Kind == profile.KindNone {
		return
	}
	k := &s.kinds[kind]
	k.mu.Lock()
	defer k.mu.Unlock()
	k.of(at.Key, p).add(short(who.Key), day)
}

func (k *places) bucket(key profile.Key) *bucket { return &k.buckets[key.Lo%uint64(len(k.buckets))] }

// of is the place, which is made where it is not known. The caller holds mu.
func (k *places) of(key profile.Key, p netip.Prefix) *place {
	b := k.bucket(key)
	for i, low := range b.keys {
		if at := b.places[i]; low == key.Lo && at != nil && at.key == key {
			return at
		}
	}
	least := 0
	for i, at := range b.places {
		if at == nil {
			least = i
			break
		}
		if at.n < b.places[least].n {
			least = i
		}
	}
	b.keys[least], b.places[least] = key.Lo, &place{key: key, prefix: p}
	return b.places[least]
}

// add takes a caller in, in the place of one who has not come for a week where
// there is no other.
func (p *place) add(who uint32, day uint16) {
	free := -1
	for i := range p.n {
		switch {
		case p.who[i] == who:
			p.day[i] = day
			return
		case !lately(p.day[i], day):
			free = i
		}
	}
	if free < 0 {
		if p.n == counted {
			return
		}
		free = p.n
		p.n++
	}
	p.who[free], p.day[free] = who, day
}

func lately(day, today uint16) bool { return today-day < week }

// callers is how many have used the place of that key; counted: or more.
func (s *Standing) callers(key profile.Key, now time.Time) int {
	all := callers{}
	for i := range s.kinds {
		k := &s.kinds[i]
		k.mu.Lock()
		for _, p := range k.bucket(key).places {
			if p != nil && p.key == key {
				all.add(p, now)
			}
		}
		k.mu.Unlock()
	}
	return min(len(all), counted)
}

// within is how many have used a network or a part of it.
func (s *Standing) within(network netip.Prefix, now time.Time) int {
	all := callers{}
	s.each(func(_ int, p *place) {
		if p.prefix.IsValid() && p.prefix.Bits() >= network.Bits() && network.Overlaps(p.prefix) {
			all.add(p, now)
		}
	})
	return min(len(all), counted)
}

type callers map[uint32]bool

func (c callers) add(p *place, now time.Time) {
	for i := range p.n {
		if lately(p.day[i], today(now)) {
			c[p.who[i]] = true
		}
	}
}

func (s *Standing) each(f func(kind int, p *place)) {
	for i := range s.kinds {
		k := &s.kinds[i]
		k.mu.Lock()
		for b := range k.buckets {
			for _, p := range k.buckets[b].places {
				if p != nil {
					f(i, p)
				}
			}
		}
		k.mu.Unlock()
	}
}

// count writes a number of callers.
func count(n int) string {
	if n >= counted {
		return fmt.Sprintf("%d or more", counted)
	}
	return fmt.Sprint(n)
}
