package policy

import (
	"sync"
	"sync/atomic"
)

// tally counts what happens at every request without a cache line that all
// cores write: it has many cells, and sync.Pool, which keeps what it holds by
// processor, lends each processor the number of one. A cell that two
// processors come to share is slower and no less right.
type tally struct {
	cells [64]struct {
		n atomic.Uint64
		_ [56]byte // a cache line each
	}
	next atomic.Uint32
	mine sync.Pool // of *uint32
}

func (t *tally) inc() {
	i, ok := t.mine.Get().(*uint32)
	if !ok {
		i = new(uint32)
		*i = t.next.Add(1) % uint32(len(t.cells))
	}
	t.cells[*i].n.Add(1)
	t.mine.Put(i)
}

func (t *tally) sum() (n uint64) {
	for i := range t.cells {
		n += t.cells[i].n.Load()
	}
	return n
}
