package demo

import "syscall"

// ownGroup keeps a terminal's Ctrl-C away from the child, since the demo
// itself decides when it stops, and makes it end with the demo even if that
// was killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
