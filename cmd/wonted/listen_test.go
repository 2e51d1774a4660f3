package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shortDir is a directory short enough for a socket's path.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "w")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestSocketGoesWithItsListenerOnly(t *testing.T) {
	path := filepath.Join(shortDir(t), "a.sock")
	old, err := listen("listen", "unix://"+path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != socketMode {
		t.Fatalf("mode %v, %v, want %o", info.Mode(), err, socketMode)
	}
	// A successor that takes the path over while the old one still drains.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	successor, err := listen("listen", "unix://"+path)
	if err != nil {
		t.Fatal(err)
	}
	old.Close()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("the successor's socket is gone: %v", err)
	}
	conn.Close()
	successor.Close()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is still there after a clean end: %v", err)
	}
}

func TestAbstractSocket(t *testing.T) {
	l, err := listen("listen", "unix://@wonted-test-"+filepath.Base(shortDir(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if !strings.HasPrefix(l.Address, "unix://@") {
		t.Errorf("address %s", l.Address)
	}
	if _, err := listen("listen", l.Address); err == nil {
		t.Error("an abstract socket in use must be refused")
	}
}

func TestDefaultSocketIsPrivate(t *testing.T) {
	dir := shortDir(t)
	place := filepath.Join(dir, "wonted")
	f := func(what string, wantErr bool) {
		t.Helper()
		if err := private(place); (err != nil) != wantErr {
			t.Errorf("%s: %v", what, err)
		}
		os.RemoveAll(place)
	}
	f("absent", true)
	os.Mkdir(place, 0o700)
	f("of this user alone", false)
	os.Mkdir(place, 0o700)
	os.Chmod(place, 0o777)
	f("open to everybody", true)
	os.Symlink(dir, place)
	f("a link to somewhere else", true)
	os.WriteFile(place, nil, 0o600)
	f("a file", true)
}

func TestDefaultSocketIsFoundWhereItIsMade(t *testing.T) {
	f := func(what string, system string, wantSystem bool) {
		t.Helper()
		p := places{system: filepath.Join(system, "wonted", "extproc.sock"), own: filepath.Join(shortDir(t), "own")}
		before := p.find()
		made, err := p.create()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if (made == "unix://"+p.system) != wantSystem {
			t.Errorf("%s: made %s", what, made)
		}
		l, err := listen("listen", made)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		defer l.Close()
		if after := p.find(); before != made || after != made {
			t.Errorf("%s: serve listens on %s, others look at %s before and at %s after", what, made, before, after)
		}
	}
	f("writable", shortDir(t), true)
	dir := shortDir(t)
	os.Mkdir(filepath.Join(dir, "wonted"), 0o755)
	f("with its directory", dir, true)
	f("absent", filepath.Join(shortDir(t), "none"), false)
	file := filepath.Join(shortDir(t), "file")
	os.WriteFile(file, nil, 0o600)
	f("a file in its place", file, false)
}

func TestNoPlaceForTheDefaultSocket(t *testing.T) {
	dir := shortDir(t)
	p := places{system: filepath.Join(dir, "none", "wonted", "extproc.sock"), own: filepath.Join(dir, "none", "own")}
	_, err := p.create()
	if err == nil || !strings.Contains(err.Error(), filepath.Dir(p.system)) || !strings.Contains(hintOf(err), "in a pod: mount there") {
		t.Errorf("got %v, and as a hint %q", err, hintOf(err))
	}
}
