package scoring

import (
	"sync/atomic"

	"github.com/zeebo/xxh3"

	"github.com/wonted-project/wonted/scoring/profile"
)

// pairs remember who has signed in from where: 65,536 of them in 512 KiB, the
// latest in each set of eight. They answer "has this user been let in from this
// network?" before the user has a profile that says so, and are not in
// snapshots: after a restart the profiles of those who come often still know,
// and of the others as much is known as on the first day.
//
// Users who share a set push each other out. To push out a certain one takes
// some hundred thousand successful sign-ins.
type pairs struct {
	sets [1 << 13][8]atomic.Uint64 // a line of the processor's caches each
}

// An entry is 40 bits of the pair's hash and the minute of its latest success,
// modulo 2^24: ages of up to 15 years. The zero entry is free.
const (
	minuteBits = 24
	minuteMask = 1<<minuteBits - 1
)

// pairOf is the hash of a user and a place.
func pairOf(user, place profile.Key) uint64 {
	var b [32]byte
	for i, v := range [...]uint64{user.Hi, user.Lo, place.Hi, place.Lo} {
		for j := range 8 {
			b[8*i+j] = byte(v >> (8 * j))
		}
	}
	return xxh3.Hash(b[:])
}

func (p *pairs) set(hash uint64) *[8]atomic.Uint64 { return &p.sets[hash%uint64(len(p.sets))] }

// since is how many minutes have begun since the pair's latest success, if that
// is remembered.
func (p *pairs) since(hash uint64, now uint32) (minutes uint64, ok bool) {
	set := p.set(hash)
	for i := range set {
		if e := set[i].Load(); e != 0 && e>>minuteBits == hash>>minuteBits {
			return age(e, now), true
		}
	}
	return 0, false
}

// add notes a success. Of two that race for a place one may be lost.
func (p *pairs) add(hash uint64, now uint32) {
	set := p.set(hash)
	oldest := 0
	for i := range set {
		e := set[i].Load()
		if e == 0 || e>>minuteBits == hash>>minuteBits {
			oldest = i
			break
		}
		if age(e, now) > age(set[oldest].Load(), now) {
			oldest = i
		}
	}
	set[oldest].Store(hash&^minuteMask | uint64(now/minute)&minuteMask)
}

// drop forgets a pair.
func (p *pairs) drop(hash uint64) {
	set := p.set(hash)
	for i := range set {
		if e := set[i].Load(); e != 0 && e>>minuteBits == hash>>minuteBits {
			set[i].CompareAndSwap(e, 0)
		}
	}
}

// age is 0 for an entry that another goroutine has made a moment later.
func age(entry uint64, now uint32) uint64 {
	minutes := (uint64(now/minute) - entry) & minuteMask
	if minutes > minuteMask/2 {
		return 0
	}
	return minutes
}
