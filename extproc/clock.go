package extproc

import (
	"sync/atomic"
	"time"
)

// clock never goes back: profiles advance their rings by the time of each
// exchange, and a step back of the system's clock must not reach them. Nor may
// time stand still until the system's has caught up, since an hour's requests
// would then be counted in one minute, and everybody would look like an
// attacker: after a step back the clock runs on, ahead of the system's, until
// that is set forward again or the process ends.
type clock struct {
	read  func() time.Time
	last  atomic.Int64
	ahead atomic.Int64 // of the system's, after it was set back
}

// step is what the system's clock must go back by to have been set back. Less
// is goroutines that overtake each other.
const step = time.Second

// now is the time, or the latest time that anybody has seen.
func (c *clock) now() time.Time {
	wall := c.read().UnixNano()
	for {
		last, ahead := c.last.Load(), c.ahead.Load()
		t := wall + ahead
		switch {
		case ahead != 0 && wall > last:
			c.ahead.CompareAndSwap(ahead, 0)
		case t < last-int64(step):
			// We may only have been asleep between reading the clock and
			// loading last. What is read now cannot be before last, unless
			// the clock was set back.
			if wall = c.read().UnixNano(); wall+ahead < last-int64(step) {
				c.ahead.CompareAndSwap(ahead, last-wall)
			}
		case t <= last:
			return time.Unix(0, last)
		case c.last.CompareAndSwap(last, t):
			return time.Unix(0, t)
		}
	}
}
