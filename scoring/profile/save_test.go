package profile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var testMeta = Meta{KeyID: "key-one", Now: time.Unix(1_700_000_000, 0)}

// filled is a store of n callers, each with n and its number in it.
func filled(t testing.TB, n int) *Store {
	s := small(t)
	for i := range uint64(n) {
		rec, pin, _ := s.Acquire(Key{i, 1}, KindCaller, 1000)
		rec.Requests, rec.Accepted, rec.InFlight = uint32(n), uint32(i%20), 3
		rec.Habits().Evidence = float32(i)
		pin.Release()
	}
	return s
}

// holds says how many callers the store holds, if all are as filled(n) makes them.
func holds(s *Store) (n int, err error) {
	s.Range(func(r *Record) bool {
		n++
		if r.Habits().Evidence != float32(r.Key.Hi) || r.Accepted != uint32(r.Key.Hi%20) || r.InFlight != 0 {
			err = fmt.Errorf("caller %d is %+v", r.Key.Hi, r.Header)
		}
		return err == nil
	})
	s.Range(func(r *Record) bool {
		if int(r.Requests) != n {
			err = fmt.Errorf("%d records, of a store of %d", n, r.Requests)
		}
		return err == nil
	})
	return n, err
}

func mustSave(t *testing.T, s *Store, dir string) {
	t.Helper()
	if err := s.Save(dir, testMeta); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t *testing.T, dir string) (*Store, LoadReport) {
	t.Helper()
	s, report, err := Load(dir, Config{Memory: MinMemory}, testMeta)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, report
}

func list(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestSaveLoad(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 257, 3000} {
		dir := t.TempDir()
		s := filled(t, n)
		mustSave(t, s, dir)
		loaded, report := mustLoad(t, dir)
		if got, err := holds(loaded); err != nil || got != n {
			t.Fatalf("%d records became %d: %v", n, got, err)
		}
		want := fmt.Sprintf("Loaded %d profiles from snapshot-00000001, saved 2023-11-14T22:13:20Z.", n)
		if report.String() != want || report.Records != n || report.Dropped != 0 {
			t.Errorf("report %q, want %q", report, want)
		}
		a, b := s.Stats(), loaded.Stats()
		if a.Protected != b.Protected || a.Probation != b.Probation || a.Records != b.Records {
			t.Errorf("loaded %+v, saved %+v", b, a)
		}
	}
}

func TestLoadFindsNothing(t *testing.T) {
	s, report := mustLoad(t, t.TempDir())
	if s.Stats().Total != 0 || report.String() != "No snapshot yet: starting with no profiles." {
		t.Errorf("%d records, %q", s.Stats().Total, report)
	}
}

func TestLoadIntoLessMemory(t *testing.T) {
	dir := t.TempDir()
	big := New(Config{Memory: 2 * MinMemory})
	defer big.Close()
	for i := range uint64(12_000) {
		visit(big, Key{i, 1}, KindCaller, uint32(i%8)/7*Established, 5) // one in eight is established
	}
	mustSave(t, big, dir)
	s, report := mustLoad(t, dir)
	if report.Records+report.Dropped != 12_000 || report.Dropped == 0 || !strings.Contains(report.String(), "did not fit into profile.memory") {
		t.Errorf("%+v: %s", report, report)
	}
	for i := uint64(7); i < 12_000; i += 8 {
		if !has(s, Key{i, 1}) {
			t.Fatalf("established %d was dropped", i)
		}
	}
}

// A clock that was ahead when the snapshot was made must not stop the rings.
func TestLoadFromTheFuture(t *testing.T) {
	dir := t.TempDir()
	s := small(t)
	rec, pin, _ := s.Acquire(Key{1, 1}, KindCaller, 2_000_000_000)
	rec.Rings.Requests1m[3] = 9
	rec.Baseline.Requests1m.N = 7
	pin.Release()
	mustSave(t, s, dir)
	loaded, _ := mustLoad(t, dir)
	rec, pin, ok := loaded.Find(Key{1, 1})
	if !ok || rec.LastSeen != uint32(testMeta.Now.Unix()) || rec.Created != rec.LastSeen || rec.Rings != (Rings{}) || rec.Baseline.Requests1m.N != 7 {
		t.Errorf("%+v", rec)
	}
	pin.Release()
}

func TestSaveKeepsTwo(t *testing.T) {
	dir := t.TempDir()
	s := filled(t, 10)
	for range 4 {
		mustSave(t, s, dir)
	}
	if got, want := list(t, dir), "CURRENT snapshot-00000003 snapshot-00000004"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "CURRENT")); string(b) != "snapshot-00000004\n" {
		t.Errorf("CURRENT is %q", b)
	}
	// What is not ours stays; remains of a broken save and old refuse go.
	for _, name := range []string{"snapshot-00000005.tmp", "snapshot-00000001.bad-torn", "snapshot-00000002.bad-key", "snapshot-00000003.bad-torn", "snapshot-x", "backup", "snapshot-00000009.mine"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	mustSave(t, s, dir)
	if got, want := list(t, dir), "CURRENT backup snapshot-00000002.bad-key snapshot-00000003.bad-torn snapshot-00000004 snapshot-00000006 snapshot-00000009.mine snapshot-x"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestDataDirErrors(t *testing.T) {
	f := func(name, want string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one about %q", name, err, want)
		}
	}
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	_, _, err := Load(missing, Default(), testMeta)
	f("load from a missing dir", "does not exist: create it", err)
	f("save to a missing dir", "does not exist: create it", small(t).Save(missing, testMeta))
	if list(t, dir) != "" {
		t.Error("something was created")
	}
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err = Load(plain, Default(), testMeta)
	f("load from a file", "cannot be read", err)
	_, _, err = Load(dir, Config{}, testMeta)
	f("load with a bad config", "give at least", err)
	_, _, err = load(&failing{fail: func(op string) error { return syscall.EROFS }}, dir, Default(), testMeta)
	f("load from a read-only dir", "cannot be written, so profiles would be lost at the next stop: read-only file system", err)
	f("a key id with no room", "room for 64", small(t).Save(dir, Meta{KeyID: strings.Repeat("x", 65)}))
	if got := list(t, dir); got != "plain" {
		t.Errorf("left behind: %s", got)
	}
}
