package extproc

import (
	"sync"

	"google.golang.org/grpc/mem"
)

// reply is one encoded ProcessingResponse on its way out.
//
// grpc-go writes it after SendMsg has returned, so the bytes belong to grpc-go
// from then on. A constant reply is never changed and never freed; any other is
// a frame of its own, which comes back to the pool when grpc-go drops the last
// reference. An unsent reply is not leaked but left to the garbage collector.
type reply struct{ data mem.BufferSlice }

// constant makes a reply that is always the same bytes.
func constant(b []byte) *reply { return &reply{mem.BufferSlice{mem.SliceBuffer(b)}} }

// frame is a reply with a buffer to write into. It is its own mem.BufferPool,
// so that the buffer's last Free brings it back with nothing allocated.
type frame struct {
	reply
	bytes  []byte
	buffer [1]mem.Buffer
}

const (
	// frameSize is what a frame begins with: above 1 KiB, below which grpc-go
	// does not bother to return buffers.
	frameSize = 2 << 10
	// frameKept bounds what the pool keeps: a long body must not stay for ever.
	frameKept = 64 << 10
)

var frames = sync.Pool{New: func() any { return &frame{bytes: make([]byte, 0, frameSize)} }}

// newFrame is an empty frame: append to bytes, then seal.
func newFrame() *frame {
	f := frames.Get().(*frame)
	f.bytes = f.bytes[:0]
	return f
}

// seal makes the bytes a reply that is to be sent once.
func (f *frame) seal() *reply {
	f.buffer[0] = mem.NewBuffer(&f.bytes, f)
	f.data = f.buffer[:]
	return &f.reply
}

// Get completes mem.BufferPool; nobody asks a frame for a buffer.
func (f *frame) Get(length int) *[]byte {
	b := make([]byte, length)
	return &b
}

// Put is grpc-go's last Free.
func (f *frame) Put(*[]byte) {
	if cap(f.bytes) <= frameKept {
		frames.Put(f)
	}
}
