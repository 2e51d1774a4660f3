//go:build linux && (amd64 || arm64 || riscv64 || loong64 || ppc64le)

package extproc

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// The longest that Go's monitor thread may sleep, under traffic and without:
// see awake. A tick that finds nothing else to do costs 80 µs.
const (
	lively  = 10 * time.Millisecond
	resting = 200 * time.Millisecond
)

// Direct returns a listener whose connections read and write without telling
// Go's scheduler. l must accept Unix or TCP connections; others pass through as
// they are, as all do where the system is not Linux. Closing it closes l.
//
// net's Read surrounds the system call with entersyscall and exitsyscall, so
// that a call that blocks gives up its processor (P), and each of them in a
// process that was idle wakes the monitor thread (sysmon). Ours cannot block:
// they say MSG_DONTWAIT, and who would have to wait waits in Go's poller like
// any other connection. At some thousand small exchanges a second that spares a
// quarter or more of the processor's CPU; the more it is idle, the more.
func Direct(l net.Listener) net.Listener {
	d := &directListener{Listener: l, closed: make(chan struct{})}
	go d.awake()
	return d
}

type directListener struct {
	net.Listener
	traffic atomic.Bool // something was read since the last tick
	closed  chan struct{}
	closing sync.Once
}

// Accept implements net.Listener.
func (l *directListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.wrap(c), nil
}

// Close implements net.Listener.
func (l *directListener) Close() error {
	l.closing.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// awake keeps the monitor thread from sleeping longer than until the next
// tick. With all processors idle it sleeps until a timer is due, half a minute
// or a system call that it is told of, and it alone preempts a goroutine that
// computes for longer than 10 ms.
func (l *directListener) awake() {
	tick := time.NewTicker(resting)
	defer tick.Stop()
	pace := resting
	for {
		select {
		case <-tick.C:
		case <-l.closed:
			return
		}
		next := resting
		if l.traffic.Swap(false) {
			next = lively
		}
		if next != pace {
			pace = next
			tick.Reset(pace)
		}
	}
}

// directConn is a connection whose Read and Write are our own; deadlines, Close
// and addresses are those of the connection inside, whose descriptor its
// RawConn keeps open for the length of a callback.
type directConn struct {
	net.Conn
	listener    *directListener
	raw         syscall.RawConn
	read, write direction
}

// direction is one half of a connection. Callback and arguments are fields so
// that no call allocates; the lock is for callers at the same time, whom net
// too makes take turns.
type direction struct {
	mu    sync.Mutex
	p     []byte // where to read to, or what is left to write
	n     int    // of what was read, or written in all
	errno syscall.Errno
	try   func(fd uintptr) (done bool)
}

// wrap returns c itself if it is no socket that can be waited for.
func (l *directListener) wrap(c net.Conn) net.Conn {
	switch c.(type) {
	case *net.UnixConn, *net.TCPConn:
	default:
		return c // of TLS and the like the descriptor is not the content
	}
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return c
	}
	d := &directConn{Conn: c, listener: l, raw: raw}
	d.read.try, d.write.try = d.read.receive, d.write.send
	return d
}

// SyscallConn implements syscall.Conn, for who asks about the peer.
func (c *directConn) SyscallConn() (syscall.RawConn, error) { return c.raw, nil }

// Read implements net.Conn.
func (c *directConn) Read(p []byte) (int, error) {
	d := &c.read
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(p) == 0 {
		return 0, nil // 0 bytes from the socket would mean its end
	}
	err := d.run(p, c.raw.Read)
	switch {
	case err != nil:
		return 0, c.fault("read", err)
	case d.errno != 0:
		return 0, c.fault("read", os.NewSyscallError("recvfrom", d.errno))
	case d.n == 0:
		return 0, io.EOF
	}
	if t := &c.listener.traffic; !t.Load() { // a line that all only read stays shared
		t.Store(true)
	}
	return d.n, nil
}

// Write implements net.Conn: all of p, or an error and how much before it.
func (c *directConn) Write(p []byte) (int, error) {
	d := &c.write
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.run(p, c.raw.Write)
	if err == nil && d.errno != 0 {
		err = os.NewSyscallError("sendto", d.errno)
	}
	if err != nil {
		return d.n, c.fault("write", err)
	}
	return d.n, nil
}

// run has the poller call try until it is done, the connection is closed or its
// deadline has passed.
func (d *direction) run(p []byte, wait func(func(uintptr) bool) error) error {
	d.p, d.n, d.errno = p, 0, 0
	err := wait(d.try)
	d.p = nil
	return err
}

// receive reads what there is, once; false sends us to the poller.
func (d *direction) receive(fd uintptr) bool {
	for {
		d.n, d.errno = recv(fd, d.p)
		switch d.errno {
		case syscall.EINTR:
		case syscall.EAGAIN:
			d.n, d.errno = 0, 0
			return false
		default:
			return true
		}
	}
}

// send writes until all is written; a socket takes what it has room for.
func (d *direction) send(fd uintptr) bool {
	for len(d.p) > 0 {
		n, errno := send(fd, d.p)
		switch errno {
		case 0:
			d.p, d.n = d.p[n:], d.n+n
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			d.errno = errno
			return true
		}
	}
	return true
}

// fault says what net's own connection would: which operation, and between
// whom. RawConn's error is one of these already, about "raw-read".
func (c *directConn) fault(op string, err error) error {
	if e, ok := err.(*net.OpError); ok {
		err = e.Err
	}
	return &net.OpError{Op: op, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}
