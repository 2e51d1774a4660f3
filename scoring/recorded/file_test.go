package recorded

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kept reads what a recording and its full files hold.
func kept(t *testing.T, name string) map[string]string {
	t.Helper()
	all, err := filepath.Glob(name + "*")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range all {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		got[strings.TrimPrefix(f, name)] = string(b)
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v: %v", f, info.Mode(), err)
		}
	}
	return got
}

func write(t *testing.T, w *File, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if n, err := w.Write([]byte(l)); err != nil || n != len(l) {
			t.Fatalf("%q: %d bytes, %v", l, n, err)
		}
	}
}

func open(t *testing.T, name string, max int64, keep int) *File {
	t.Helper()
	w, err := OpenFile(name, max, keep)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func TestRotation(t *testing.T) {
	name := filepath.Join(t.TempDir(), "r.jsonl")
	w := open(t, name, 10, 2)
	write(t, w, "1111\n", "2222\n") // 10 bytes are full, not over
	if diff := cmp.Diff(map[string]string{"": "1111\n2222\n"}, kept(t, name)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	write(t, w, "3333\n", "4444\n", "5555\n")
	if diff := cmp.Diff(map[string]string{"": "5555\n", ".1": "3333\n4444\n", ".2": "1111\n2222\n"}, kept(t, name)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	write(t, w, "a line that is longer than a file\n", "6\n")
	want := map[string]string{"": "6\n", ".1": "a line that is longer than a file\n", ".2": "5555\n"}
	if diff := cmp.Diff(want, kept(t, name)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRestart: what is there is appended to, and counts for the size.
func TestRestart(t *testing.T) {
	name := filepath.Join(t.TempDir(), "r.jsonl")
	if err := os.WriteFile(name, []byte("1111\n22"), 0o644); err != nil { // a crash, and an open mode
		t.Fatal(err)
	}
	w := open(t, name, 14, 1)
	write(t, w, "3333\n")
	if diff := cmp.Diff(map[string]string{"": "1111\n22\n3333\n"}, kept(t, name)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, open(t, name, 14, 1), "4444\n")
	if diff := cmp.Diff(map[string]string{"": "4444\n", ".1": "1111\n22\n3333\n"}, kept(t, name)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFilesThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{dir, filepath.Join(dir, "none", "r"), os.DevNull} {
		if w, err := OpenFile(name, 10, 1); err == nil {
			w.Close()
			t.Errorf("%s is a recording", name)
		}
	}
}

// TestNoRoomToRotate: a file that cannot be renamed does not grow; when it can
// be, recording goes on.
func TestNoRoomToRotate(t *testing.T) {
	name := filepath.Join(t.TempDir(), "r.jsonl")
	w := open(t, name, 5, 1)
	write(t, w, "1111\n")
	if err := os.MkdirAll(filepath.Join(name+".1", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("2222\n")); err == nil {
		t.Error("it is written although the file is full")
	}
	if err := os.RemoveAll(name + ".1"); err != nil {
		t.Fatal(err)
	}
	write(t, w, "3333\n")
	if diff := cmp.Diff(map[string]string{"": "3333\n", ".1": "1111\n"}, kept(t, name)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestTakeBack: half a line is taken off, unless another has appended since.
func TestTakeBack(t *testing.T) {
	name := filepath.Join(t.TempDir(), "r.jsonl")
	w := open(t, name, 100, 1)
	write(t, w, "1111\n")
	if _, err := w.f.WriteString("22"); err != nil {
		t.Fatal(err)
	}
	w.takeBack(2)
	write(t, w, "3333\n")
	if _, err := w.f.WriteString("44"); err != nil {
		t.Fatal(err)
	}
	write(t, open(t, name, 100, 1), "5555\n")
	w.takeBack(2)
	write(t, w, "6666\n")
	if diff := cmp.Diff(map[string]string{"": "1111\n3333\n44\n5555\n\n6666\n"}, kept(t, name)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestFullDisk writes to the kernel's own full disk, where there is one, by way
// of a file that has been opened already: the error comes through and the next
// Write tries again.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		t.Log("no /dev/full here")
		return
	} else if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "r.jsonl")
	w := open(t, name, 100, 1)
	good := w.f
	w.f = full
	if _, err := w.Write([]byte("1111\n")); err == nil {
		t.Error("a full disk takes a line")
	}
	w.f = good
	full.Close()
	write(t, w, "2222\n")
	if diff := cmp.Diff(map[string]string{"": "2222\n"}, kept(t, name)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
