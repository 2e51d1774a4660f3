package extproc

import (
	"math/bits"
	"sync"

	"google.golang.org/grpc/mem"
)

// buffers is where messages are put together that came in several frames:
// batches of the access log, chunks of bodies. grpc-go's own pool zeroes a
// buffer to its capacity when it is taken, and beyond 32 KiB that is a MiB:
// 40 µs, to be overwritten at once.
var buffers mem.BufferPool = &dirtyPool{}

// dirtyPool lends buffers with what they held before.
type dirtyPool struct{ pool sync.Pool }

// largest is what is kept for later: one huge message must not pin its memory.
const largest = 4 << 20

// Get returns a buffer of this length, a power of two in capacity.
func (p *dirtyPool) Get(length int) *[]byte {
	b, _ := p.pool.Get().(*[]byte)
	if b == nil || cap(*b) < length {
		room := make([]byte, 1<<bits.Len(uint(max(length, 1<<15)-1)))
		b = &room
	}
	*b = (*b)[:length]
	return b
}

// Put takes it back.
func (p *dirtyPool) Put(b *[]byte) {
	if cap(*b) <= largest {
		p.pool.Put(b)
	}
}
