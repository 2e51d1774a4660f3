package bench

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/wonted-project/wonted/envoy"
)

const (
	readyWithin = 60 * time.Second // a million profiles are loaded first
	goneWithin  = 5 * time.Second
)

// child is a process that the harness has started, and ends. It ends with the
// harness even if that was killed (on Linux), and a terminal's Ctrl-C does not
// reach it: the harness decides.
type child struct {
	name string
	cmd  *exec.Cmd
	log  string // a file with what it prints
	done chan struct{}
	err  error // how it ended; read after done
}

// command says how to start a child.
type command struct {
	name string
	dir  string // its log goes there
	args []string
	env  []string // beside the harness's own
}

// startChild runs a command and waits until ready says so. The error of one
// that does not get there holds the last lines of its log.
func startChild(ctx context.Context, c command, ready func(context.Context) error) (*child, error) {
	log, err := os.Create(filepath.Join(c.dir, "log"))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	defer log.Close()
	p := &child{name: c.name, log: log.Name(), done: make(chan struct{}), cmd: exec.Command(c.args[0], c.args[1:]...)}
	p.cmd.Dir = c.dir
	p.cmd.Env = append(os.Environ(), c.env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = ownGroup()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	if err := p.await(ctx, ready); err != nil {
		p.stop()
		return nil, fmt.Errorf("start %s (%s): %w; its log ends:\n%s", c.name, strings.Join(c.args, " "), err, p.tail(10))
	}
	return p, nil
}

// await polls until the child is ready, has ended, or has had its time.
func (p *child) await(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		last := ready(ctx)
		if last == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("it ended before it was ready (%s)", p.ended())
		case <-ctx.Done():
			return fmt.Errorf("it was not ready in time: %w", last)
		case <-tick.C:
		}
	}
}

func (p *child) pid() int { return p.cmd.Process.Pid }

// gone says why the child is no longer there; nil: it is.
func (p *child) gone() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s has ended in the middle of the run (%s); its log ends:\n%s", p.name, p.ended(), p.tail(10))
	default:
		return nil
	}
}

func (p *child) ended() string {
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}

// stop asks the whole group of the child to go, insists after a while, and
// returns once the child has gone.
func (p *child) stop() {
	_ = syscall.Kill(-p.pid(), syscall.SIGTERM) // it may have gone already
	select {
	case <-p.done:
	case <-time.After(goneWithin):
	}
	p.kill()
}

// kill ends the group without asking.
func (p *child) kill() {
	_ = syscall.Kill(-p.pid(), syscall.SIGKILL)
	<-p.done
}

// tail returns the last lines of the log.
func (p *child) tail(lines int) string { return envoy.Tail(p.log, lines) }

// listening is ready once something accepts connections at address, which is
// unix:///path or host:port.
func listening(address string) func(context.Context) error {
	network, where := "tcp", address
	if path, ok := strings.CutPrefix(address, "unix://"); ok {
		network, where = "unix", path
	}
	return func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, network, where)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// freeAddress is a loopback address that was free a moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("no free port on loopback: %w", err)
	}
	return l.Addr().String(), l.Close()
}
