package main

import (
	"os"
	"testing"
	"time"
)

// TestMain makes this test binary the client of TestStreams where it is asked to.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == holdCommand {
		exit(hold(os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

// small are the floods' settings in a test: the proportions are kept.
var small = settings{
	memory: 16 << 20, modest: 8 << 20, callers: 1000, others: 10_000,
	sprawl: 2500, streams: 1200, open: 500, deadline: time.Second,
}

func TestFloods(t *testing.T) {
	for _, f := range floods {
		t.Run(f.name, func(t *testing.T) {
			r := &report{w: t.Output()}
			if err := f.run(r, small); err != nil {
				t.Fatal(err)
			}
			if r.kept == 0 || r.missed > 0 {
				t.Errorf("%d numbers kept, %d missed", r.kept, r.missed)
			}
		})
	}
}

// TestNumbersAreMissed: the floods can fail. A store of the least memory cannot
// hold as many callers.
func TestNumbersAreMissed(t *testing.T) {
	r := &report{w: t.Output()}
	crowded := small
	crowded.memory, crowded.callers, crowded.others = 8<<20, 3000, 1000
	if err := identities(r, crowded); err != nil {
		t.Fatal(err)
	}
	if r.missed == 0 || r.verdict("identities") == nil {
		t.Error("3,000 callers with three profiles each, in 8 MiB, and nothing was missed")
	}
}

func TestLatencies(t *testing.T) {
	l := &latencies{}
	for i := range 1000 {
		l.add(time.Duration(i) * time.Microsecond)
	}
	l.add(time.Hour)
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Microsecond, 0.99: 990 * time.Microsecond, 1: time.Millisecond} {
		if got := l.quantile(q); got < want-2*step-time.Microsecond || got > want+2*step+50*time.Microsecond {
			t.Errorf("p%v is %v, not %v", 100*q, got, want)
		}
	}
	if l.n() != 1001 {
		t.Errorf("%d counted", l.n())
	}
}
