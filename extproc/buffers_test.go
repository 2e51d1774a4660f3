package extproc

import (
	"bytes"
	"testing"

	"google.golang.org/grpc/mem"
)

// TestBuffersPutFramesTogether: of any length, whatever the buffer held before.
func TestBuffersPutFramesTogether(t *testing.T) {
	pool := &dirtyPool{}
	for _, length := range []int{100, 1 << 15, 1<<15 + 1, 100_000, 5, 1 << 20, largest + 1, 70_000} {
		whole := bytes.Repeat([]byte{byte(length), 7, 9}, length)[:length]
		frames := mem.BufferSlice{mem.SliceBuffer(whole[:length/3]), mem.SliceBuffer(whole[length/3:])}
		b := frames.MaterializeToBuffer(pool)
		if !bytes.Equal(b.ReadOnlyData(), whole) {
			t.Errorf("%d bytes: they came out as others", length)
		}
		b.Free()
	}
	if b := pool.Get(largest + 1); cap(*b) != 2*largest {
		t.Errorf("a buffer of %d bytes for %d, want the next power of two", cap(*b), largest+1)
	}
	room := make([]byte, 2*largest)
	pool.Put(&room)
	for range 100 {
		if b, _ := pool.pool.Get().(*[]byte); b != nil && cap(*b) > largest {
			t.Fatal("a huge buffer is kept")
		}
	}
}
