package identity

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/scoring/profile"
)

func TestLoadSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(content string) string {
		path := filepath.Join(dir, "key")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	want := NewSecret()
	got, err := LoadSecret(write(string(want[:])))
	if err != nil || got != want {
		t.Fatalf("%v, %v; want %v", got, err, want)
	}
	bad := func(path, want string) {
		t.Helper()
		if _, err := LoadSecret(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "head -c 32 /dev/urandom") {
			t.Errorf("%s: %v, want …%s…", path, err, want)
		}
	}
	bad(write(""), "0 bytes where 32 random ones are needed")
	bad(write(strings.Repeat("x", 33)), "33 bytes where 32 random ones are needed")
	bad(write(strings.Repeat("ab", 32)+"\n"), "65 bytes")
	bad(write(strings.Repeat("\x00", 32)), "all bytes are zero")
	bad(dir, "is a directory")
	bad(filepath.Join(dir, "none"), "no such file")
}

func TestSecretStaysSecret(t *testing.T) {
	s := Secret([]byte("0123456789abcdef0123456789abcdef"))
	for _, verb := range []string{"%v", "%+v", "%s", "%#v", "%q"} {
		if out := fmt.Sprintf(verb, s); strings.Contains(out, "0123456789abcdef0123") || strings.Contains(out, "48, 49") || strings.Contains(out, "48 49") || strings.Contains(out, "0x30") {
			t.Errorf("%s prints it: %s", verb, out)
		}
	}
	if s.ID() == NewSecret().ID() || len(s.ID()) != 16 {
		t.Errorf("ID %q", s.ID())
	}
}

func TestKeys(t *testing.T) {
	a, b := resolver(t, Default(), 0), resolver(t, Default(), 0)
	other, err := New(Default(), NewSecret(), 0)
	if err != nil {
		t.Fatal(err)
	}
	value := []byte("ak_live_7f3")
	k := a.Key(profile.KindCaller, value)
	if k != b.Key(profile.KindCaller, value) {
		t.Error("two replicas with one secret disagree")
	}
	if k == other.Key(profile.KindCaller, value) {
		t.Error("two secrets agree")
	}
	seen := map[profile.Key]int{}
	for kind := range profile.KindCount {
		seen[a.Key(profile.Kind(kind), value)]++
	}
	if len(seen) != profile.KindCount {
		t.Error("two kinds share a key for one value")
	}
	long := bytes.Repeat([]byte("x"), 64<<10)
	if a.Key(profile.KindCaller, long) == a.Key(profile.KindCaller, long[1:]) {
		t.Error("long values collide")
	}
	if named(profile.Key{}) == (profile.Key{}) {
		t.Error("a key can be zero")
	}
}

func TestHiddenTellsOnlyTheSame(t *testing.T) {
	s := NewSecret()
	a := s.Hide("sk_live_one")
	if a != s.Hide("sk_live_one") || a == s.Hide("sk_live_two") || a == NewSecret().Hide("sk_live_one") || strings.Contains(a, "live") {
		t.Errorf("got %s", a)
	}
}
