//go:build linux && !race

package profile

import "syscall"

// mapNoReserve keeps the kernel from setting swap aside for callers that have
// not come yet.
const mapNoReserve = syscall.MAP_NORESERVE
