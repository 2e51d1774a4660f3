//go:build !linux

package main

// interruptions cannot be told here; latencies then hold what else the machine
// does.
func interruptions() int64 { return 0 }
