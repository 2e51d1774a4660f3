package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
)

// places are where wonted listens when nothing else is said: the system's
// socket, or, where this user may not write there, one of the same name in a
// directory of the user's own.
type places struct {
	system string // /run/wonted/extproc.sock
	own    string // directory
}

func defaultPlaces() places {
	p := places{
		system: strings.TrimPrefix(config.DefaultSocket, "unix://"),
		own:    filepath.Join(os.TempDir(), fmt.Sprintf("wonted-%d", os.Getuid())),
	}
	if runtime := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(runtime) {
		p.own = filepath.Join(runtime, "wonted")
	}
	return p
}

// find says where serve listens, or would: a system socket that is there
// counts, whoever made it.
func (p places) find() string {
	if _, err := os.Stat(p.system); err == nil || p.systemWritable() {
		return "unix://" + p.system
	}
	return "unix://" + filepath.Join(p.own, filepath.Base(p.system))
}

// create makes the directory and says where to listen.
func (p places) create() (string, error) {
	if p.systemWritable() {
		if err := os.Mkdir(filepath.Dir(p.system), 0o755); err == nil || errors.Is(err, fs.ErrExist) {
			return "unix://" + p.system, nil
		}
	}
	err := os.Mkdir(p.own, 0o700)
	if err == nil || errors.Is(err, fs.ErrExist) {
		err = private(p.own)
	}
	if err != nil {
		return "", advise(fmt.Errorf("no place for the default socket: %s cannot be written, and %w", filepath.Dir(p.system), err),
			"make %s writable for this user (in a pod: mount there the volume that Envoy mounts, too), or choose another socket with --listen unix:///path/extproc.sock",
			filepath.Dir(p.system))
	}
	return "unix://" + filepath.Join(p.own, filepath.Base(p.system)), nil
}

// systemWritable says whether the system's socket could be made, with its
// directory if that is missing.
func (p places) systemWritable() bool {
	const writeAndSearch = 2 | 1 // W_OK, X_OK
	dir := filepath.Dir(p.system)
	err := syscall.Access(dir, writeAndSearch)
	if errors.Is(err, fs.ErrNotExist) {
		err = syscall.Access(filepath.Dir(dir), writeAndSearch)
	}
	return err == nil
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
