package bench

import (
	"os"
	"testing"
	"time"
)

func TestCPUCountsWhatAProcessBurns(t *testing.T) {
	before, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	// Burn until the kernel has counted some of it.
	for deadline := time.Now().Add(10 * time.Second); ; {
		after, err := CPU(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if after >= before+2*clockTick {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("busy for long, and the count went from %v to %v", before, after)
		}
	}
}

func TestCPUOfNobodyIsAnError(t *testing.T) {
	if got, err := CPU(1 << 30); err == nil {
		t.Errorf("a process that cannot be has used %v", got)
	}
}
