package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

const mib = 1 << 20

// resident is how much memory of this process the machine holds, in bytes.
func resident() (int64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0, fmt.Errorf("/proc/self/statm: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}

// handles is how many files and sockets this process has open, the one through
// which it asks included.
func handles() (int, error) {
	entries, err := os.ReadDir("/proc/self/fd")
	return len(entries), err
}

// swept is resident after garbage, pooled and freed memory have gone: pools
// keep theirs through one collection.
func swept() (int64, error) {
	runtime.GC()
	runtime.GC()
	debug.FreeOSMemory()
	return resident()
}

// live is the Go heap that is still in use, after a collection.
func live() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// peak follows resident.
type peak struct{ most int64 }

func (p *peak) look() error {
	now, err := resident()
	p.most = max(p.most, now)
	return err
}
