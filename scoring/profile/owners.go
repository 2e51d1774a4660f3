package profile

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// Owners remember who has touched which object of the API, so that it can be
// told when somebody touches what only others had touched before. An object is
// its hash, with its route's in it; who touches is 32 bits of a key.
//
// It is a table of fixed size: ownersShare of Config.Memory, eight bytes an object
// and eight objects to a line of the processor's caches, all that one look needs.
// A full set forgets one of its eight by chance, so what is known is the objects
// that were touched lately, 262,144 of them in 128 MiB. Five owners are told of an
// object, the last that came, by eight bits of 32: one in 255 of all identities
// is the same to it. It is not in snapshots: after a restart nothing is
// anybody's, and nobody is suspected.
//
// It is not kept in fastcache, as packed records are: that takes 32 MiB at the
// least and some sixty bytes an object with its index on the Go heap, and as a
// ring of writes it would have to be told again of an object that is in use.
//
// It takes no lock. Two who write to one set at the same time may lose one of the
// two notes, as if it had not been there. Safe for concurrent use.
type Owners struct {
	sets [][setObjects]atomic.Uint64
}

const (
	ownersShare = 64
	setObjects  = 8
	objectOwner = 5 // of eight bits each, above which the object's tag lies
	tagShift    = 8 * objectOwner
)

func newOwners(memory Bytes) Owners {
	return Owners{reserve[[setObjects]atomic.Uint64](max(int(memory/ownersShare)/(8*setObjects), 1))}
}

// size is what it takes when full.
func (o *Owners) size() Bytes { return Bytes(len(o.sets) * 8 * setObjects) }

// Touched says who has touched an object, as far as is known.
type Touched uint8

// The answers.
const (
	Nobody Touched = iota
	Oneself
	Others // and not oneself
)

// Expect asks for the object's line ahead.
func (o *Owners) Expect(object uint64) { prefetch(unsafe.Pointer(o.set(object)), 1) }

// Look says who has touched the object.
func (o *Owners) Look(object uint64, who uint32) Touched {
	set, tag := o.set(object), objectTag(object)
	for i := range set {
		if e := set[i].Load(); e>>tagShift == tag {
			if owns(e, ownerTag(who)) {
				return Oneself
			}
			return Others
		}
	}
	return Nobody
}

// Line is where all is kept that is known of the object, and of some others.
func (o *Owners) Line(object uint64) *[setObjects]atomic.Uint64 { return o.set(object) }

// Touch notes that somebody has touched the object.
func (o *Owners) Touch(object uint64, who uint32) {
	set, tag, owner := o.set(object), objectTag(object), ownerTag(who)
	place := -1
	for i := range set {
		e := set[i].Load()
		if e>>tagShift == tag {
			if !owns(e, owner) {
				set[i].Store(tag<<tagShift | (e<<8|owner)&(1<<tagShift-1))
			}
			return
		}
		if e == 0 && place < 0 {
			place = i
		}
	}
	if place < 0 {
		place = int(object >> 8 % setObjects)
	}
	set[place].Store(tag<<tagShift | owner)
}

// set is the object's, by the top of its hash; the tag is of the bottom.
func (o *Owners) set(object uint64) *[setObjects]atomic.Uint64 {
	i, _ := bits.Mul64(object*0x9E3779B97F4A7C15, uint64(len(o.sets)))
	return &o.sets[i]
}

// objectTag is never 0: the zero entry is free.
func objectTag(object uint64) uint64 { return max(object&(1<<(64-tagShift)-1), 1) }

// ownerTag is eight bits of who, never 0. One in 255 others passes for oneself.
func ownerTag(who uint32) uint64 { return 1 + uint64(who*0x9E3779B1>>16)%255 }

func owns(e, owner uint64) bool {
	for range objectOwner {
		if e&255 == owner {
			return true
		}
		e >>= 8
	}
	return false
}
