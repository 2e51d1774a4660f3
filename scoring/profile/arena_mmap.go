//go:build unix && !race

package profile

import (
	"syscall"
	"unsafe"
)

// reserve returns n zeroed elements of address space that becomes resident
// page by page as it is touched.
//
// It is mapped, not made, for honesty about memory: the collector has nothing
// to do in pointer-free slices, but it would let garbage grow to their size
// before it runs (GOGC=100), and a cap of 1 GiB would be 2 GiB resident. Built
// with -race it is made (arena_heap.go), because the race detector only sees
// the Go heap.
//
// Pages of 2 MiB are not asked for. Over a million records they save a twentieth
// of a request's scoring, since what is asked for ahead (expect.go) hides most of
// the way through the page tables; but the kernel may move memory about to make
// one, and who touches it first waits 20 to 40 ms for that.
func reserve[T any](n int) []T {
	var zero T
	mapped, err := syscall.Mmap(-1, 0, n*int(unsafe.Sizeof(zero)), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE|mapNoReserve)
	if err != nil { // a limit on address space; the heap may still have room
		return make([]T, n)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(mapped))), n)
}

// release gives back what reserve returned; nothing may point there any more.
func release[T any](s []T) {
	var zero T
	// Munmap knows its own mappings by their last byte, and refuses the heap's.
	_ = syscall.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(zero))))
}
