package extproc

import (
	"sync/atomic"
	"time"
)

// clock never goes back: profiles advance their rings by the time of each
// exchange, and a step back of the system's clock must not reach them.
type clock struct {
	read func() time.Time
	last atomic.Int64
}

// now is the time, or the latest time that anybody has seen.
func (c *clock) now() time.Time {
	t := c.read().UnixNano()
	for {
		last := c.last.Load()
		if t <= last {
			return time.Unix(0, last)
		}
		if c.last.CompareAndSwap(last, t) {
			return time.Unix(0, t)
		}
	}
}
