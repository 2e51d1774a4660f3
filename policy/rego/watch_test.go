package rego

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
)

// watched is one call of onChange.
type watched struct {
	e   *Engine
	err error
}

// watchDir watches until the test ends; next waits for a call.
func watchDir(t *testing.T, dir string, poll time.Duration) (next func(what string) watched) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	calls := make(chan watched, 16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		watch(ctx, dir, 10*time.Millisecond, poll, func(work func()) { work() }, func(e *Engine, err error) { calls <- watched{e, err} })
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if len(calls) > 0 {
			t.Errorf("%d changes too many", len(calls))
		}
	})
	return func(what string) watched {
		t.Helper()
		select {
		case c := <-calls:
			return c
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: nothing was noticed", what)
			panic("unreachable")
		}
	}
}

func (w watched) action(t *testing.T) policy.Action {
	t.Helper()
	if w.err != nil {
		t.Fatal(w.err)
	}
	return decide(t, w.e, at(sample(), policy.PhaseRequest)).Action
}

func TestWatch(t *testing.T) {
	dir := write(t, map[string]string{"a.rego": denyAll})
	file := filepath.Join(dir, "a.rego")
	set := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	next := watchDir(t, dir, time.Hour) // events alone
	if got := next("start").action(t); got != policy.Deny {
		t.Errorf("at the start: %v", got)
	}
	set(file, "package wonted.policy\nthrottle contains \"t\"\n")
	if got := next("edit").action(t); got != policy.Throttle {
		t.Errorf("after an edit: %v", got)
	}
	set(file, "package wonted.policy\nbroken {")
	if c := next("break"); c.e != nil || c.err == nil || !strings.Contains(c.err.Error(), "a.rego:2:") || !strings.Contains(c.err.Error(), "the old policy stays") {
		t.Errorf("broken: %v", c.err)
	}
	set(file, denyAll)
	if got := next("mend").action(t); got != policy.Deny {
		t.Errorf("mended: %v", got)
	}
	if err := os.Chtimes(file, time.Unix(1, 0), time.Unix(1, 0)); err != nil { // no change: watchDir would complain
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	set(filepath.Join(dir, "b.rego"), "package wonted.policy\nallow contains \"exception\"\n")
	if got := next("a new file").action(t); got != policy.Allow {
		t.Errorf("after a new file: %v", got)
	}
	if err := os.RemoveAll(filepath.Join(dir, "b.rego")); err != nil {
		t.Fatal(err)
	}
	if got := next("a file gone").action(t); got != policy.Deny {
		t.Errorf("after its removal: %v", got)
	}
}

func TestWatchConfigMapSwap(t *testing.T) {
	dir := t.TempDir()
	configMap(t, dir, "1", denyAll)
	next := watchDir(t, dir, time.Hour)
	next("start")
	configMap(t, dir, "2", "package wonted.policy\nchallenge contains \"c\"\n")
	if got := next("swap").action(t); got != policy.Challenge {
		t.Errorf("after the swap: %v", got)
	}
}

// The poll finds what events do not tell: here the directory itself is another.
func TestWatchPolls(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "policy")
	put := func(name, text string) {
		t.Helper()
		if err := os.Mkdir(filepath.Join(parent, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(parent, name, "a.rego"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("one", denyAll)
	put("two", "package wonted.policy\nthrottle contains \"t\"\n")
	if err := os.Symlink("one", dir); err != nil {
		t.Fatal(err)
	}
	next := watchDir(t, dir, 20*time.Millisecond)
	next("start")
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if c := next("removal"); c.err == nil || !strings.Contains(c.err.Error(), "no such directory") {
		t.Errorf("removed: %v", c.err)
	}
	if err := os.Symlink("two", dir); err != nil {
		t.Fatal(err)
	}
	if got := next("another directory").action(t); got != policy.Throttle {
		t.Errorf("after the change: %v", got)
	}
}
