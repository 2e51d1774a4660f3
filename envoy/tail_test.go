package envoy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f := func(text string, lines int, want string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := Tail(path, lines); got != want {
			t.Errorf("the last %d lines of %d bytes: %.60q, want %.60q", lines, len(text), got, want)
		}
	}
	f("", 3, "")
	f("one\n", 3, "one")
	f("one\ntwo\nthree\n\n", 2, "two\nthree")
	f(strings.Repeat("x", 3*tailBytes)+"\nlast\n", 1, "last")
	f(strings.Repeat("x", 3*tailBytes), 1, strings.Repeat("x", tailBytes))
	if got := Tail(path+".gone", 1); !strings.Contains(got, "no such file") {
		t.Errorf("of a log that is not there: %q", got)
	}
}
