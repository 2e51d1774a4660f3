package envoytest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// PID is the process id.
func (w *Wonted) PID() int { return w.cmd.Process.Pid }

// Kill is kill -9.
func (w *Wonted) Kill() { w.end(syscall.SIGKILL) }

// Terminate asks wonted to go, and returns when it has.
func (w *Wonted) Terminate() { w.end(syscall.SIGTERM) }

// Freeze stops wonted in its tracks: it neither answers nor dies. It returns
// once every thread stands still, until Thaw or the end of the test.
func (w *Wonted) Freeze(t testing.TB) {
	t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Thaw() })
	Eventually(t, "wonted stands still", func() error {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", w.PID()))
		if err != nil || len(threads) == 0 {
			return Hopeless(fmt.Errorf("no threads in /proc: %v", err))
		}
		for _, thread := range threads {
			stat, err := os.ReadFile(thread)
			if err != nil {
				return err
			}
			if _, state, _ := bytes.Cut(stat, []byte(") ")); !bytes.HasPrefix(state, []byte("T")) {
				return fmt.Errorf("%s: %s", thread, stat)
			}
		}
		return nil
	})
}

// Thaw lets a frozen wonted go on.
func (w *Wonted) Thaw() { _ = w.cmd.Process.Signal(syscall.SIGCONT) }

// Reload asks wonted to read its configuration and its policy again.
func (w *Wonted) Reload(t testing.TB) {
	t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// Gone reports whether the process has ended.
func (w *Wonted) Gone() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

func (w *Wonted) end(s syscall.Signal) {
	_ = w.cmd.Process.Signal(s) // it may have ended already
	select {
	case <-w.done:
	case <-time.After(15 * time.Second):
		_ = w.cmd.Process.Kill()
		<-w.done
	}
}
