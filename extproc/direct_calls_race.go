//go:build linux && race && (amd64 || arm64 || riscv64 || loong64 || ppc64le)

package extproc

import (
	"errors"
	"syscall"
)

// Of the calls that go round the scheduler the race detector sees nothing, and
// it would take what one end wrote and the other read for unordered. These are
// the calls that it knows, under the same logic; a descriptor of net's does
// not block.

func recv(fd uintptr, p []byte) (int, syscall.Errno) {
	n, err := syscall.Read(int(fd), p)
	return max(n, 0), number(err)
}

func send(fd uintptr, p []byte) (int, syscall.Errno) {
	n, err := syscall.Write(int(fd), p)
	return max(n, 0), number(err)
}

func number(err error) (errno syscall.Errno) {
	errors.As(err, &errno)
	return errno
}
