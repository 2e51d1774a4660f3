package rego

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wonted-project/wonted/policy"
)

// memo remembers decisions by their keys. A hit takes no lock and writes
// nothing that another core reads.
//
// It is bounded: when full it is emptied and begins anew. To stop taking in
// would be cheaper, but a client that fills it once with words of its own
// invention would have turned it off; and what is asked for again is back after
// one evaluation each. The policy's and the data's revisions are no part of a
// key: they are the Engine's, and so is its memo.
type memo struct {
	keying
	seed  maphash.Seed
	table atomic.Pointer[table]
	grow  sync.Mutex // held by who adds
}

// maxRemembered bounds the entries: at the most some MiB, and far more than a
// policy distinguishes in honest traffic.
const maxRemembered = 8192

// table is an open-addressing hash table, at most half full: readers probe
// linearly to the first empty slot, writers fill empty slots and never change
// one that is taken.
type table struct {
	slots []atomic.Pointer[remembered] // a power of two
	used  atomic.Int64
}

// remembered is one entry, never changed.
type remembered struct {
	hash     uint64
	key      string
	decision *policy.Decision
}

func newMemo(k keying) *memo {
	m := &memo{keying: k, seed: maphash.MakeSeed()}
	m.table.Store(newTable(64))
	return m
}

func newTable(slots int) *table { return &table{slots: make([]atomic.Pointer[remembered], slots)} }

// recall is nil where the key is not known.
func (m *memo) recall(key []byte) *policy.Decision {
	r, _ := m.table.Load().find(maphash.Bytes(m.seed, key), key)
	if r == nil {
		return nil
	}
	return r.decision
}

// find returns the entry, or the slot where it belongs.
func (t *table) find(hash uint64, key []byte) (*remembered, *atomic.Pointer[remembered]) {
	for i := hash; ; i++ {
		slot := &t.slots[i&uint64(len(t.slots)-1)]
		r := slot.Load()
		if r == nil || r.hash == hash && r.key == string(key) {
			return r, slot
		}
	}
}

// remember keeps key and decision.
func (m *memo) remember(key []byte, d *policy.Decision) {
	hash := maphash.Bytes(m.seed, key)
	m.grow.Lock()
	defer m.grow.Unlock()
	t := m.table.Load()
	if r, _ := t.find(hash, key); r != nil {
		return // somebody else was first
	}
	switch n := int(t.used.Load()); {
	case n >= maxRemembered:
		t = newTable(64)
		m.table.Store(t)
	case 2*n >= len(t.slots):
		t = t.larger()
		m.table.Store(t)
	}
	_, slot := t.find(hash, key)
	slot.Store(&remembered{hash: hash, key: string(key), decision: d})
	t.used.Add(1)
}

func (t *table) larger() *table {
	l := newTable(2 * len(t.slots))
	for i := range t.slots {
		if r := t.slots[i].Load(); r != nil {
			_, slot := l.find(r.hash, []byte(r.key))
			slot.Store(r)
		}
	}
	l.used.Store(t.used.Load())
	return l
}

// Recall is the decision that Decide made before where nothing was different
// that the policy could tell. It implements policy.Recaller.
func (e *Engine) Recall(in *policy.Input) (*policy.Decision, bool) {
	if e.memo == nil {
		return nil, false
	}
	v := e.views.Get().(*view)
	v.look(in)
	var d *policy.Decision
	if key, ok := e.memo.append(v); ok {
		d = e.memo.recall(key)
	}
	v.blink()
	e.views.Put(v)
	return d, d != nil
}

func (e *Engine) remember(in *policy.Input, d *policy.Decision) {
	v := e.views.Get().(*view)
	v.look(in)
	if key, ok := e.memo.append(v); ok {
		e.memo.remember(key, d)
	}
	v.blink()
	e.views.Put(v)
}

// Remembered is how many decisions are remembered now.
func (e *Engine) Remembered() int {
	if e.memo == nil {
		return 0
	}
	return int(e.memo.table.Load().used.Load())
}

// Unmemoised says which lines of the policy are the reason that its decisions
// are not remembered; empty where they are.
func (e *Engine) Unmemoised() []Problem { return slices.Clone(e.unmemoised) }
