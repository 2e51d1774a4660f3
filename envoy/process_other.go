//go:build unix && !linux

package envoy

import "syscall"

// ownGroup keeps a terminal's Ctrl-C away from Envoy, so that whoever started
// it also decides when it stops.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
