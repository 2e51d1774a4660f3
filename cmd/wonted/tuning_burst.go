package main

import (
	"os"
	"runtime"
	"sync"
)

// bursts lends wonted one processor more for as long as something computes
// beside traffic. With GOMAXPROCS=1 whoever computes has the only one for 10 ms
// at a time, until it is preempted, and everybody waits; with one more who
// answers Envoy runs beside it, on another core or as the kernel shares one.
type bursts struct {
	mu    sync.Mutex
	now   int // under way
	procs int // before the first of them
}

// run calls f with a processor more, one however many run at once. Both changes
// stop the world for a moment, so it is nothing for what is over in one.
func (b *bursts) run(f func()) {
	b.begin()
	defer b.end() // f may panic
	f()
}

func (b *bursts) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now++; b.now == 1 {
		b.procs = runtime.GOMAXPROCS(0)
		runtime.GOMAXPROCS(b.procs + 1)
	}
}

func (b *bursts) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now--; b.now > 0 {
		return
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.SetDefaultGOMAXPROCS() // and Go follows the container's limit again
		return
	}
	runtime.GOMAXPROCS(b.procs)
}
