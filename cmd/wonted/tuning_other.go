//go:build !linux

package main

// containerMemory: only Linux has containers.
func containerMemory() (uint64, bool) { return 0, false }
