package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
)

// defaultSocket is where wonted listens when nothing else is said:
// /run/wonted/extproc.sock, or where this user may not write there, the same
// name under the user's runtime directory. serve creates the directory;
// whoever only looks for the socket does not.
func defaultSocket(create bool) (string, error) {
	system := strings.TrimPrefix(config.DefaultSocket, "unix://")
	if create {
		if os.Mkdir(filepath.Dir(system), 0o755) == nil || writable(filepath.Dir(system)) {
			return config.DefaultSocket, nil
		}
	} else if _, err := os.Stat(system); err == nil {
		return config.DefaultSocket, nil
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("wonted-%d", os.Getuid()))
	if runtime := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(runtime) {
		dir = filepath.Join(runtime, "wonted")
	}
	address := "unix://" + filepath.Join(dir, filepath.Base(system))
	if !create {
		return address, nil
	}
	err := os.Mkdir(dir, 0o700)
	if err == nil || os.IsExist(err) {
		err = private(dir)
	}
	if err != nil {
		return "", advise(fmt.Errorf("no place for the default socket: %w", err), "choose one with --listen unix:///path/extproc.sock")
	}
	return address, nil
}

// private refuses a directory that another user could have laid out: the
// temporary directory belongs to everybody.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(owner.Uid) != os.Getuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is not a directory of this user alone (mode 0700)", dir)
	}
	return nil
}

// writable tries: permission bits do not tell the whole truth.
func writable(dir string) bool { return tryWrite(dir) == nil }

func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".wonted-*")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}
