package bench

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// CPU returns the processor time that a process has used, user and system,
// threads that have ended included, in nanoseconds: what /proc/PID/stat shows
// in ticks of 10 ms, which for a processor of few microseconds a request would
// be a tenth of a round. Linux only; it needs no privilege, and in a container
// sees what the container sees.
func CPU(pid int) (time.Duration, error) {
	// clock_getcpuclockid(3): the complement of the process, CPUCLOCK_SCHED.
	const scheduler = 2
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^uint32(pid)<<3|scheduler), &used); err != nil {
		return 0, fmt.Errorf("processor time of %d: %w", pid, err)
	}
	return time.Duration(used.Nano()), nil
}

// Resident is the memory of a process in bytes: the second field of
// /proc/PID/statm, in pages.
func Resident(pid int) (int64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, fmt.Errorf("memory of %d: %w", pid, err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil {
		return 0, fmt.Errorf("memory of %d: a statm of %q", pid, statm)
	}
	return pages * int64(os.Getpagesize()), nil
}
