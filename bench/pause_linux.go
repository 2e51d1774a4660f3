package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// pause sleeps in the kernel. [time.Sleep] wakes up to a millisecond late where
// nothing else keeps the runtime awake, which an open loop would show as
// latency.
func pause(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&t, nil) // the caller looks at the clock again
}
