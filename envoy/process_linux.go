package envoy

import "syscall"

// ownGroup keeps a terminal's Ctrl-C away from Envoy, so that whoever started
// it also decides when it stops, and makes it end with its parent even if
// that was killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
