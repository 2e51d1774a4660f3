package main

import "syscall"

// interruptions is how often the machine has taken the core from this thread
// for another process. What Go's own scheduler and collector do is not in it.
func interruptions() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_THREAD, &u) != nil {
		return 0
	}
	return u.Nivcsw
}
