package profile

import (
	"errors"
	"strings"
	"syscall"
	"testing"
)

// A snapshot holds both levels, and any amount of memory takes it up.
func TestSnapshotOfTwoLevels(t *testing.T) {
	s := twoLevels(t)
	dir := t.TempDir()
	const n = 9000
	for i := range uint64(n) {
		work(s, Key{i, 1}, Established, uint32(i+1))
	}
	below := s.Stats().Below
	mustSave(t, s, dir)
	f := func(into *Store, want string, lost bool) {
		t.Helper()
		defer into.Close()
		report, err := into.read(dir+"/snapshot-00000001/"+recordsName, testMeta)
		if err != nil {
			t.Fatal(err)
		}
		report.Snapshot, report.Memory = "snapshot-00000001", MinMemory
		if report.Records+report.Dropped != n || (report.Dropped > 0) != lost || !strings.Contains(report.String(), want) {
			t.Errorf("%+v: %s", report, report)
		}
		if st := into.Stats(); st.Found+st.Missed != 0 || st.Retention() != float64(report.Records)/n {
			t.Errorf("%+v", st)
		}
		newest := 0
		for i := range uint64(1000) {
			rec, pin, ok := into.Find(Key{n - 1 - i, 1})
			if ok && rec.Habits().Evidence == float32(n-1-i) {
				newest++
			}
			pin.Release()
		}
		if newest < 990 {
			t.Errorf("%d of the newest 1,000 came back", newest)
		}
	}
	if below < n/2 {
		t.Fatalf("only %d below", below)
	}
	f(newStore(2<<20, lowerGrain), "Loaded 9000 profiles", false)
	f(newStore(32<<20, 0), "Loaded 9000 profiles", false)
	f(newStore(0, lowerGrain), "Loaded 9000 profiles", false)
	f(newStore(4<<20, 0), "did not fit into profile.memory, which is 8MiB now", true)
}

// What is forgotten is in no level and in no file, once saved.
func TestForgetEverywhere(t *testing.T) {
	s := twoLevels(t)
	dir := t.TempDir()
	for i := range uint64(9000) {
		work(s, Key{i, 1}, Established, uint32(i+1))
	}
	mustSave(t, s, dir)
	mustSave(t, s, dir)
	k := Key{3, 1} // old, so below
	if s.Stats().Below == 0 || !s.Forget(k) || s.Forget(k) || has(s, k) {
		t.Error("forgetting once is enough, and never is twice")
	}
	if !s.Forget(Key{8999, 1}) || s.Stats().Protected+s.Stats().Below != 8998 {
		t.Errorf("%+v", s.Stats())
	}
	mustSave(t, s, dir)
	if got := list(t, dir); got != "CURRENT snapshot-00000003" {
		t.Errorf("left: %s", got)
	}
	loaded := twoLevels(t)
	if _, err := loaded.read(dir+"/snapshot-00000003/"+recordsName, testMeta); err != nil || has(loaded, k) || !has(loaded, Key{4, 1}) {
		t.Errorf("loaded %+v, %v", loaded.Stats(), err)
	}
	mustSave(t, s, dir)
	if got := list(t, dir); got != "CURRENT snapshot-00000003 snapshot-00000004" {
		t.Errorf("left: %s", got)
	}
}

// While an older snapshot that still holds what was forgotten cannot be removed,
// Save says so, and the next one tries again.
func TestForgettingInsists(t *testing.T) {
	s, dir := filled(t, 300), t.TempDir()
	mustSave(t, s, dir)
	s.Forget(Key{3, 1})
	err := s.save(&failing{func(step string) error {
		if step == "remove" {
			return syscall.EPERM
		}
		return nil
	}}, dir, testMeta)
	if !errors.Is(err, syscall.EPERM) || !strings.Contains(err.Error(), "older snapshots still hold what was forgotten") {
		t.Errorf("error %v", err)
	}
	if got := list(t, dir); got != "CURRENT snapshot-00000001 snapshot-00000002" {
		t.Errorf("left: %s", got)
	}
	mustSave(t, s, dir)
	if got := list(t, dir); got != "CURRENT snapshot-00000003" {
		t.Errorf("left: %s", got)
	}
}
