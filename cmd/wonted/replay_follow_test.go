package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// awaited is output that a test waits for.
type awaited struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (a *awaited) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.text.Write(b)
	select {
	case a.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (a *awaited) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text.String()
}

// until waits for n lines.
func (a *awaited) until(t *testing.T, n int) {
	t.Helper()
	limit := time.After(patience)
	for strings.Count(a.String(), "\n") < n {
		select {
		case <-a.more:
		case <-limit:
			t.Fatalf("want %d lines:\n%s", n, a.String())
		}
	}
}

// TestReplayFollows a file that grows, is renamed with half a line at its end,
// and is cut to nothing: all is judged as it comes, and Ctrl-C ends it with the
// summary.
func TestReplayFollows(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	name := filepath.Join(dir, "access.jsonl")
	write := func(flag int, text string) {
		t.Helper()
		f, err := os.OpenFile(name, flag|os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.SplitAfter(jsonl(t, ordinary()[:9]), "\n")
	policy := reportEach(t)
	write(os.O_APPEND, lines[0]+lines[1])

	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, errs := &awaited{more: make(chan struct{}, 1)}, &bytes.Buffer{}
	ended := make(chan error)
	go func() {
		ended <- run(ctx, []string{"replay", "--follow", "--policy", policy, "--output", "json", name}, stdio{strings.NewReader(""), out, errs})
	}()
	out.until(t, 2)
	write(os.O_APPEND, lines[2][:20])
	write(os.O_APPEND, lines[2][20:]+lines[3][:20])
	out.until(t, 3)

	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	write(os.O_EXCL, lines[4]+lines[5])
	out.until(t, 5)

	write(os.O_TRUNC, lines[6])
	out.until(t, 6)
	write(os.O_APPEND, lines[7])
	out.until(t, 7)

	interrupt()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	p := parsePrinted(t, out.String())
	if p.summary.Exchanges != 7 || len(p.lines) != 7 {
		t.Errorf("%d exchanges, %d shown, want 7\n%s", p.summary.Exchanges, len(p.lines), out.String())
	}
	if want := name + ": line 4: not JSON: it breaks off\n"; errs.String() != want {
		t.Errorf("standard error is %q, want %q", errs.String(), want)
	}
}
