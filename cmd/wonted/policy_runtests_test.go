package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy/rego"
)

// Tests run again when a file changes, also after one that does not compile.
func TestPolicyTestWatches(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := rego.Init(dir); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"policy", "test", "--watch", dir}, stdio{out: w, err: w})
		w.Close()
	}()
	lines := make(chan string)
	go func() {
		for s := bufio.NewScanner(r); s.Scan(); {
			lines <- s.Text()
		}
		close(lines)
	}()
	waitFor := func(part string) {
		t.Helper()
		for deadline := time.After(patience); ; {
			select {
			case line := <-lines:
				if strings.Contains(line, part) {
					return
				}
			case <-deadline:
				t.Fatalf("no %q", part)
			}
		}
	}
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "more_test.rego"), []byte("package wonted.more_test\n"+text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	waitFor("17 passed, 0 failed")
	put("test_more if {")
	waitFor("more_test.rego:2:")
	put("test_more if 1 == 2")
	waitFor("1 test of 18 failed")
	put("test_more if true")
	waitFor("18 passed, 0 failed")
	stop()
	for range lines {
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}
