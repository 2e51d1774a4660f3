//go:build unix && !linux

package envoytest

import "syscall"

// Child would make a process end with the test binary; only Linux can.
func Child() *syscall.SysProcAttr { return nil }
