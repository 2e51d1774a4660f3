package main

import (
	"runtime"
	"sync"
	"testing"
)

// TestBurstsLendOneProcessor, however many run at once or within each other,
// and take it back after the last.
func TestBurstsLendOneProcessor(t *testing.T) {
	f := func(name, env string) {
		t.Helper()
		t.Setenv("GOMAXPROCS", env)
		before := runtime.GOMAXPROCS(0)
		var b bursts
		var running, done sync.WaitGroup
		leave := make(chan struct{})
		for range 3 {
			running.Add(1)
			done.Go(func() {
				b.run(func() { b.run(func() { running.Done(); <-leave }) })
			})
		}
		running.Wait()
		if got := runtime.GOMAXPROCS(0); got != before+1 {
			t.Errorf("%s: %d processors while bursts run, want %d", name, got, before+1)
		}
		close(leave)
		done.Wait()
		if got := runtime.GOMAXPROCS(0); got != before {
			t.Errorf("%s: %d processors after the last, want %d", name, got, before)
		}
	}
	runtime.SetDefaultGOMAXPROCS()
	f("as Go chooses", "")
	defer runtime.SetDefaultGOMAXPROCS()
	runtime.GOMAXPROCS(1)
	f("set by the environment", "1")
}
