package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
)

// socketMode lets the owner and the group connect: put Envoy's user into
// wonted's group, or run both as one user.
const socketMode = 0o660

// listener is an open listener and how to give its address back.
type listener struct {
	net.Listener
	Address string      // as Envoy's configuration and --listen name it
	socket  os.FileInfo // the socket file as it was made; nil where there is none, or it is not ours any more
	path    string
	left    atomic.Bool   // to a successor
	closed  chan struct{} // by Close
	closing sync.Once
}

func newListener(l net.Listener, address string) *listener {
	return &listener{Listener: l, Address: address, closed: make(chan struct{})}
}

// listen opens a listen address of the configuration. Only the directory of
// the default socket is created. key names the setting in errors.
func listen(key, address string) (*listener, error) {
	if address == config.DefaultSocket {
		var err error
		if address, err = defaultPlaces().create(); err != nil {
			return nil, err
		}
	}
	network, where, err := config.SplitListen(address)
	if err != nil {
		return nil, err
	}
	if network == "unix" && !strings.HasPrefix(where, "@") {
		return listenSocket(key, where, socketMode)
	}
	l, err := net.Listen(network, where)
	if err != nil {
		return nil, cannotListen(key, where, err)
	}
	if network == "tcp" {
		return newListener(l, l.Addr().String()), nil
	}
	return newListener(l, address), nil
}

// roomFor says early, and changes nothing but the directory of the default
// socket, what listen would say late: that there is no place for the socket.
func roomFor(key, address string) error {
	if address == config.DefaultSocket {
		_, err := defaultPlaces().create()
		return err
	}
	network, where, err := config.SplitListen(address)
	if err != nil || network != "unix" || strings.HasPrefix(where, "@") {
		return err
	}
	return directoryFor(key, where)
}

// leave accepts no more and leaves the rest to a successor that holds the same
// listener. Accept then waits for Close, so that who serves on it sees nothing
// before it is told to stop.
func (l *listener) leave() {
	l.left.Store(true)
	l.socket = nil
	if d, ok := l.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		d.SetDeadline(time.Unix(1, 0))
	}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil && l.left.Load() {
		<-l.closed
		return nil, net.ErrClosed
	}
	return conn, err
}

// Close stops listening. The socket file goes only if it is still the one that
// was made: a successor may have put its own there.
func (l *listener) Close() error {
	l.closing.Do(func() { close(l.closed) })
	err := l.Listener.Close()
	if l.socket != nil {
		if now, e := os.Lstat(l.path); e == nil && os.SameFile(now, l.socket) {
			os.Remove(l.path)
		}
	}
	return err
}

// shut is Close for a listener that may be missing.
func (l *listener) shut() {
	if l != nil {
		l.Close()
	}
}

// listenSocket takes over a socket that nobody listens on any more, as a
// killed process leaves behind, and refuses one that somebody does.
func listenSocket(key, path string, mode fs.FileMode) (*listener, error) {
	if err := directoryFor(key, path); err != nil {
		return nil, err
	}
	if err := clearStale(key, path); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, cannotListen(key, path, err)
	}
	// Closing must not delete what a successor has put in its place.
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	made, err := os.Lstat(path)
	if err == nil {
		err = os.Chmod(path, mode)
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	opened := newListener(l, "unix://"+path)
	opened.socket, opened.path = made, path
	return opened, nil
}

// directoryFor refuses a socket without a directory.
func directoryFor(key, path string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no directory", dir)
	}
	if err != nil {
		return advise(fmt.Errorf("listen on %s: %w", path, err),
			"make the directory first: mkdir -p %s, or choose another socket with %s", dir, config.Flag(key))
	}
	return nil
}

// clearStale removes a dead socket at path.
func clearStale(key, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listen on %s: %w", path, err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return advise(fmt.Errorf("listen on %s: there is something else than a socket", path),
			"move it away, or choose another socket with %s", config.Flag(key))
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("take over the stale socket %s: %w", path, err)
		}
		return nil
	case errors.Is(err, fs.ErrNotExist): // gone meanwhile
		return nil
	case errors.Is(err, fs.ErrPermission):
		return advise(fmt.Errorf("listen on %s: the socket belongs to somebody else", path),
			"run wonted as its owner, or choose another socket with %s", config.Flag(key))
	}
	return advise(fmt.Errorf("listen on %s: another process is listening there", path),
		"stop the wonted that runs already, or choose another socket with %s", config.Flag(key))
}

// cannotListen says what to do about the usual reasons.
func cannotListen(key, address string, err error) error {
	_, port, _ := net.SplitHostPort(address)
	err = fmt.Errorf("%s: %w", key, err)
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && port != "":
		return advise(err, "port %s is taken: stop what uses it (ss -ltnp 'sport = :%s' names it), or choose another with %s", port, port, setting(key))
	case errors.Is(err, syscall.EADDRINUSE):
		return advise(err, "stop the wonted that runs already, or choose another with %s", setting(key))
	case errors.Is(err, fs.ErrPermission) && port != "":
		return advise(err, "port %s needs privileges: choose one above 1023 with %s", port, setting(key))
	case errors.Is(err, fs.ErrPermission):
		return advise(err, "make the directory writable for this user, or choose another with %s", setting(key))
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return advise(err, "that address is not of this machine: choose another with %s", setting(key))
	}
	return advise(err, "choose another address with %s", setting(key))
}

// setting says where a listen address is set: metrics has no flag.
func setting(key string) string {
	if key == "metrics" {
		return "metrics: in the configuration"
	}
	return config.Flag(key)
}

// address is empty for a listener that is not wanted.
func (l *listener) address() string {
	if l == nil {
		return ""
	}
	return l.Address
}
