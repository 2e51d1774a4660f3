//go:build unix && !linux

package demo

import "syscall"

// ownGroup keeps a terminal's Ctrl-C away from the child, since the demo
// itself decides when it stops.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
