//go:build linux && !race && (amd64 || arm64 || riscv64 || loong64 || ppc64le)

package extproc

import (
	"syscall"
	"unsafe"
)

// recv reads into p, which is not empty and, since a field held it, on the heap.
func recv(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd,
		uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), syscall.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

// send writes from p, which is as recv's. Without MSG_NOSIGNAL a peer that has
// gone would send us SIGPIPE.
func send(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd,
		uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}
