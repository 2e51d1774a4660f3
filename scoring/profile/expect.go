package profile

import (
	"sync/atomic"
	"unsafe"
)

// A request looks at half a dozen records, and with a million callers none of
// them is in the processor's caches: one after the other, each costs the way to
// memory for its lock and its index entry, then for its key, then for every line
// of it. Asked for together they come together. So a scorer says first which
// keys it is going to Acquire (Expect), does something else meanwhile, asks for
// the records (Fetch), and only then takes one lock after the other.
//
// Both are hints. They take no lock, read no record and change nothing; what
// moves meanwhile is found by Acquire as ever, only later.

// Keys are the keys of one request by kind; the zero Key where there is none.
type Keys [KindCount]Key

// Expect asks for the locks and the index entries of the keys.
func (s *Store) Expect(keys *Keys) {
	for kind := range keys {
		if k := &keys[kind]; *k != (Key{}) {
			h := k.hash()
			x := s.indexOf(h)
			prefetch(unsafe.Pointer(s.shard(h)), 2) // the lock and what Acquire reads beside it
			prefetch(unsafe.Pointer(&x[x.home(uint32(h))]), 1)
		}
	}
}

// Fetch asks for the records.
func (s *Store) Fetch(keys *Keys) {
	for kind := range keys {
		k := &keys[kind]
		if *k == (Key{}) {
			continue
		}
		h := k.hash()
		if slot, ok := s.indexOf(h).hint(uint32(h)); ok {
			s.slab.records[slot].prefetch(Kind(kind))
		}
	}
}

// prefetch asks for the lines of 64 bytes that a request looks at.
func (r *Record) prefetch(kind Kind) {
	switch {
	case kind.habitual():
		prefetch(unsafe.Pointer(r), RecordSize/64)
	case kind == KindRoute:
		prefetch(unsafe.Pointer(r), 1)
		prefetch(unsafe.Pointer(&r.Name), 3) // and the population behind it
	default:
		prefetch(unsafe.Pointer(r), 4)
	}
}

// hint is find without the lock and without the record: the slot of the first
// entry with the tag.
func (x index) hint(tag uint32) (slot uint32, ok bool) {
	i := x.home(tag)
	for range maxHint {
		e := atomic.LoadUint64(&x[i])
		if e == 0 {
			return 0, false
		}
		if entryTag(e) == tag {
			return entrySlot(e), true
		}
		i = x.next(i)
	}
	return 0, false
}

// maxHint is how many entries are looked at for a hint: two lines of them.
const maxHint = 16
