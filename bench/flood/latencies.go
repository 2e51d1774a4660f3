package main

import (
	"sync/atomic"
	"time"
)

// latencies counts durations in steps of 16 ns up to a millisecond; what takes
// longer is in the last.
type latencies struct {
	steps [1 << 16]atomic.Uint32
}

const step = 16 * time.Nanosecond

func (l *latencies) add(d time.Duration) {
	l.steps[min(int(d/step), len(l.steps)-1)].Add(1)
}

func (l *latencies) n() (n int) {
	for i := range l.steps {
		n += int(l.steps[i].Load())
	}
	return n
}

// quantile is the latency that the share q did not exceed.
func (l *latencies) quantile(q float64) time.Duration {
	left := min(int(q*float64(l.n())), l.n()-1)
	for i := range l.steps {
		if left -= int(l.steps[i].Load()); left < 0 {
			return time.Duration(i+1) * step
		}
	}
	return 0
}
