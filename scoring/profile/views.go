package profile

import "unsafe"

// The tail of a record is raw memory; these are the ways to look at it.
// This file, layout.go, arena_*.go, and what asks for records ahead (expect.go,
// prefetch_*) are all the unsafe code there is: the
// tail is 8-byte aligned, as long as each view, and the views hold no pointers,
// all of which layout.go asserts when it compiles.

// Habits is the tail of a caller, credential, session or user.
func (r *Record) Habits() *Habits { return (*Habits)(unsafe.Pointer(&r.tail)) }

// Crowd is the tail of an address, network, device or sign-in route.
func (r *Record) Crowd() *Crowd { return (*Crowd)(unsafe.Pointer(&r.tail)) }

// Population is the tail of a route.
func (r *Record) Population() *Population { return (*Population)(unsafe.Pointer(&r.tail)) }

// bytes is the record as it lies in memory, which on a little-endian host is
// the format.
func (r *Record) bytes() *[RecordSize]byte { return (*[RecordSize]byte)(unsafe.Pointer(r)) }

// words is the record in words of eight bytes, as they are on this host.
func (r *Record) words() *[recordWords]uint64 { return (*[recordWords]uint64)(unsafe.Pointer(r)) }

// bytes is the key as it lies in memory.
func (k *Key) bytes() *[keySize]byte { return (*[keySize]byte)(unsafe.Pointer(k)) }
