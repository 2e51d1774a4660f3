package extproc

import (
	"testing"
	"unsafe"
)

// TestGrowStack: what comes after it is not moved, on a goroutine whose stack is
// new.
func TestGrowStack(t *testing.T) {
	s, stream := playable(t, withBody(allow()), "rsh", "rsb", "rsb$")
	at := func(b *byte) uintptr { return uintptr(unsafe.Pointer(b)) }
	moved := make(chan bool)
	for range 100 {
		go func() {
			var here byte
			growStack(false)
			before := at(&here)
			deep(&here)
			if err := s.process(stream); err != nil {
				t.Error(err)
			}
			moved <- at(&here) != before
		}()
		if <-moved {
			t.Fatal("the stack was moved")
		}
	}
}

// deep needs 3 KiB.
//
//go:noinline
func deep(b *byte) {
	var room [3 << 10]byte
	room[*b] = 1
	*b += room[len(room)-1]
}
