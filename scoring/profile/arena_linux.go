//go:build linux && !race

package profile

import "syscall"

// mapNoReserve keeps the kernel from setting swap aside for callers that have
// not come yet.
const mapNoReserve = syscall.MAP_NORESERVE

// huge asks for pages of 2 MiB where the mapping has room for them. A million
// records lie on 250,000 small pages, of which the processor knows the places
// of 2,000: most requests would look each of theirs up in page tables that are
// no nearer than the records, and in a virtual machine twice. Where the kernel
// does not give any ("never" in transparent_hugepage/enabled), nothing changes.
func huge(mapped []byte) { _ = syscall.Madvise(mapped, 14) } // MADV_HUGEPAGE; package syscall names it on some processors only
