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
		if after >= before+10*time.Millisecond {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("busy for long, and the count went from %v to %v", before, after)
		}
	}
}

func TestNobodyUsesNothing(t *testing.T) {
	if got, err := CPU(1<<22 + 1); err == nil {
		t.Errorf("a process that cannot be has used %v", got)
	}
	if got, err := Resident(1<<22 + 1); err == nil {
		t.Errorf("a process that cannot be occupies %d bytes", got)
	}
}

func TestResidentIsWhatIsTouched(t *testing.T) {
	before, err := Resident(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	block := make([]byte, size)
	for i := range block {
		block[i] = 1
	}
	after, err := Resident(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if grown := after - before; grown < size/2 || block[size-1] != 1 {
		t.Errorf("%d bytes touched, and %d more are resident", size, grown)
	}
}
