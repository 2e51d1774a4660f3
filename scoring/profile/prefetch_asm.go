//go:build (amd64 || arm64) && !race

package profile

import "unsafe"

// prefetch asks the processor for so many lines of 64 bytes, at least one, from
// p on, without waiting for them. It reads nothing: a line that somebody writes
// meanwhile is no race, and an address that is none is no fault.
//
//go:noescape
func prefetch(p unsafe.Pointer, lines int)
