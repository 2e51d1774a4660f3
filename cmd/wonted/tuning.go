package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/scoring/profile"
)

// What Go's runtime is told, unless GOGC or GOMEMLIMIT say otherwise.
//
// GOMAXPROCS stays as Go takes it: the cores, or the container's CPU limit
// rounded up and no less than 2, which Go follows when it changes. On a share of
// one core or less GOMAXPROCS=1 costs less: an idle second processor looks for
// work and wakes for nothing. See burst for what then keeps answers prompt.
const (
	// gcPercent: what lives on the Go heap is small, a few MiB; profiles are
	// mapped outside it. At 400 a collection comes a quarter as often as at 100.
	gcPercent = 400

	// limitShare of the container's memory is what we aim at. The rest is for
	// what the limit counts and Go does not: the program itself, buffers of
	// sockets, pages of snapshots that are being written.
	limitShare = 0.9

	// leastHeap is what Go needs however small the container: below it the
	// collector would run all the time and the limit be missed all the same.
	leastHeap = 48 << 20
)

// memoryLimit is the soft limit for Go's memory in a container that may use
// container bytes: limitShare of it, less what profiles may come to take. They
// are mapped outside Go's heap, and count in the container but not in Go.
// fits is false where less than leastHeap is left.
func memoryLimit(container uint64, profiles profile.Bytes) (limit int64, fits bool) {
	left := limitShare*float64(container) - float64(profiles)
	return int64(max(left, leastHeap)), left >= leastHeap
}

// tune sets the collector up. tight says where memory may not do, for /readyz;
// "" where it will. told logs with what wonted runs, once nothing worse is to be
// said.
func tune(profiles profile.Bytes, log zerolog.Logger) (tight string, told func()) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	container, contained := containerMemory()
	if contained && os.Getenv("GOMEMLIMIT") == "" {
		limit, fits := memoryLimit(container, profiles)
		debug.SetMemoryLimit(limit)
		if !fits {
			tight = tooTight(container, profiles)
			log.Warn().Uint64("container", container).Stringer("profile.memory", profiles).Msg(tight)
		}
	}
	return tight, func() { tellTuning(profiles, container, contained, log) }
}

// tooTight says what would do.
func tooTight(container uint64, profiles profile.Bytes) string {
	least := profile.Bytes(math.Ceil((float64(profiles)+leastHeap)/limitShare/(1<<20))) << 20
	return fmt.Sprintf("the container's memory limit, %v, leaves too little beside profile.memory, %v: "+
		"when that is full wonted may be killed; raise the limit to %v or lower profile.memory", profile.Bytes(container), profiles, least)
}

func tellTuning(profiles profile.Bytes, container uint64, contained bool, log zerolog.Logger) {
	gc := debug.SetGCPercent(gcPercent) // there is no other way to read it
	debug.SetGCPercent(gc)
	e := log.Info().Int("gomaxprocs", runtime.GOMAXPROCS(0)).Int("gogc", gc)
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		e = e.Int64("gomemlimit", limit)
	}
	if contained {
		e = e.Uint64("container_memory", container)
	}
	e.Stringer("profile_memory", profiles).Msg("runtime")
}
