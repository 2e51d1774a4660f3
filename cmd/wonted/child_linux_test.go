package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// child is a wonted in a process of its own.
type child struct {
	*exec.Cmd
	log  lockedBuffer
	done chan error
}

// lockedBuffer can be read while a process writes to it.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// spawn starts the real program: this test binary is it, called wonted.
func spawn(t *testing.T, args ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(must(os.Executable())), done: make(chan error, 1)}
	c.Args = append([]string{"wonted"}, args...)
	c.Dir = t.TempDir()
	c.Stderr = &c.log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.done <- c.Wait() }()
	t.Cleanup(func() {
		c.Process.Kill()
		if t.Failed() {
			t.Logf("%v:\n%s", args, c.log.String())
		}
	})
	return c
}

// says waits until the log has text.
func (c *child) says(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(c.log.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log does not say %q:\n%s", text, c.log.String())
		}
	}
}

// ends waits for the end.
func (c *child) ends(t *testing.T) error {
	t.Helper()
	select {
	case err := <-c.done:
		c.done <- err
		return err
	case <-time.After(patience):
		t.Fatal("it does not end")
		return nil
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
