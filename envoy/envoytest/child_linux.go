package envoytest

import "syscall"

// Child makes a process end with the test binary that started it, even if that
// was killed or timed out.
func Child() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
