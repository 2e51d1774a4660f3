//go:build unix && !linux

package bench

import "syscall"

// ownGroup cannot make a child end with a harness that was killed; only Linux
// can.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
