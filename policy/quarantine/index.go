package quarantine

import (
	"sync/atomic"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring/profile"
)

// record is what the table knows of one entity; it never changes once made.
type record struct {
	policy.Block
	ended bool // what is left is how many went before
}

// index is an open-addressing hash table, at most half full, from keys, which
// are keyed hashes themselves. Readers take no lock: they probe linearly to the
// first empty slot. A writer at a time fills empty slots, or puts another record
// of the same key into its slot; no slot is emptied.
type index struct {
	slots []atomic.Pointer[record] // a power of two
	used  int                      // the writer's
}

func newIndex(slots int) *index { return &index{slots: make([]atomic.Pointer[record], slots)} }

// find is nil where nothing is known of the key.
func (x *index) find(k profile.Key) *record {
	r, _ := x.slot(k)
	return r
}

// slot is the record, and the place where it is or belongs.
func (x *index) slot(k profile.Key) (*record, *atomic.Pointer[record]) {
	for i := k.Lo; ; i++ {
		slot := &x.slots[i&uint64(len(x.slots)-1)]
		if r := slot.Load(); r == nil || r.Key == k {
			return r, slot
		}
	}
}

// put takes a record in; !ok: it is half full, and the record is a new one.
func (x *index) put(r *record) (ok bool) {
	old, slot := x.slot(r.Key)
	if old == nil {
		if 2*(x.used+1) > len(x.slots) {
			return false
		}
		x.used++
	}
	slot.Store(r)
	return true
}

// each calls f with every record until it returns false.
func (x *index) each(f func(*record) bool) {
	for i := range x.slots {
		if r := x.slots[i].Load(); r != nil && !f(r) {
			return
		}
	}
}

// only is a new index of the records that keep says.
func (x *index) only(keep func(*record) bool) *index {
	var all []*record
	x.each(func(r *record) bool {
		if keep(r) {
			all = append(all, r)
		}
		return true
	})
	size := 64
	for size < 4*len(all) {
		size *= 2
	}
	next := newIndex(size)
	for _, r := range all {
		next.put(r)
	}
	return next
}
