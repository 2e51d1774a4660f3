package profile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A file is replaced as a whole, or stays as it was: whichever step fails, of a
// process that lives on (a full disk) or of one that does not, and whatever a
// save that broke off has left. A process that lives on leaves nothing beside it.
func TestReplaceFile(t *testing.T) {
	f := func(failAt int, dies bool) (failed string) {
		t.Helper()
		dir := t.TempDir()
		path := filepath.Join(dir, "kept")
		if err := ReplaceFile(path, []byte("old")); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+".tmp", []byte("what broke off, and is longer"), 0o600); err != nil {
			t.Fatal(err)
		}
		step := 0
		err := replaceFile(&failing{func(what string) error {
			if step++; step < failAt || step > failAt && !dies {
				return nil
			}
			if failed == "" {
				failed = what
			}
			return syscall.ENOSPC
		}}, path, []byte("the new one"))
		want, text := "old", "the one before, if any, stays"
		if failed == "" || failed == "sync dir" {
			want, text = "the new one", "may not survive a power cut"
		}
		if failed == "" && err != nil || failed != "" && (!errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "save "+path) || !strings.Contains(err.Error(), text)) {
			t.Fatalf("%q failed: %v", failed, err)
		}
		got, err := os.ReadFile(path)
		if string(got) != want || err != nil || !dies && list(t, dir) != "kept" {
			t.Fatalf("%q failed: the file holds %q, %v, the directory %s", failed, got, err, list(t, dir))
		}
		if err := ReplaceFile(path, []byte("the next")); err != nil || list(t, dir) != "kept" {
			t.Fatalf("after %q failed: %v, %s", failed, err, list(t, dir))
		}
		return failed
	}
	for _, dies := range []bool{false, true} {
		var steps []string
		for failed := f(1, dies); failed != ""; failed = f(len(steps)+1, dies) {
			steps = append(steps, failed)
		}
		if got := strings.Join(steps, " "); got != "create write sync rename sync dir" {
			t.Errorf("steps: %s", got)
		}
	}
}

// What is set aside takes the place of what was set aside before.
func TestSetAside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "kept")
	for _, content := range []string{"one", "two"} {
		if err := ReplaceFile(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		renamed, err := SetAside(path, "torn")
		got, _ := os.ReadFile(filepath.Join(dir, renamed))
		if err != nil || renamed != "kept.bad-torn" || string(got) != content || list(t, dir) != renamed {
			t.Errorf("%s, %v: %q; %s", renamed, err, got, list(t, dir))
		}
	}
}
