package quarantine

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring/profile"
)

// kept is a table whose journal is in dir.
func kept(t testing.TB, dir string, now time.Time, shared ...bool) (*Table, LoadReport) {
	t.Helper()
	table := newTable(t)
	report, err := table.Load(dir, "a key", now, len(shared) > 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { table.journal.file.Close() })
	return table, report
}

// holding are the names of the blocks that hold, sorted.
func (t *Table) holding(now time.Time) (names []string) {
	for _, b := range t.List(now) {
		names = append(names, b.Name)
	}
	slices.Sort(names)
	return names
}

func same(t *testing.T, table *Table, now time.Time, want ...string) {
	t.Helper()
	if got := table.holding(now); !slices.Equal(got, want) {
		t.Errorf("held are %v, want %v", got, want)
	}
}

func TestJournalSurvives(t *testing.T) {
	dir := t.TempDir()
	a, report := kept(t, dir, at)
	if report.Aside != "" {
		t.Errorf("%+v", report)
	}
	a.ask(from("acme", "203.0.113.7"), "caller", time.Hour, at)
	a.ask(from("acme", "203.0.113.7"), "network", time.Hour, at)
	a.ask(from("brief", "203.0.113.7"), "caller", time.Minute, at)
	a.ask(from("let go", "203.0.113.7"), "caller", time.Hour, at)
	a.Release(a.Of(key(profile.KindCaller, []byte("let go")), at).ID, "alice", at)
	want := a.List(at)

	b, report := kept(t, dir, at.Add(time.Minute)) // nobody has closed anything
	if report.Blocks != 2 || report.Aside != "" {
		t.Errorf("%+v", report)
	}
	same(t, b, at.Add(time.Minute), "203.0.113.0/24", "acme")
	for _, x := range b.List(at.Add(time.Minute)) {
		if i := slices.IndexFunc(want, func(w *policy.Block) bool { return w.ID == x.ID }); *want[i] != *x {
			t.Errorf("%+v became %+v", *want[i], *x)
		}
	}
	if got := b.Edge(); len(got) != 1 || got[0].String() != "203.0.113.0/24" {
		t.Errorf("edge %v", got)
	}
	// The ladder is remembered as well, and what was released is not.
	b.ask(from("brief", "203.0.113.7"), "caller", 0, at.Add(2*time.Minute))
	b.ask(from("let go", "203.0.113.7"), "caller", 0, at.Add(2*time.Minute))
	for _, x := range b.List(at.Add(2 * time.Minute)) {
		if want := map[string]int{"brief": 2}[x.Name]; want != 0 && x.Rung != want || x.Name == "let go" && x.Rung != 1 {
			t.Errorf("%s is on rung %d", x.Name, x.Rung)
		}
	}
}

// Whatever has become of the file, wonted starts with what can be read.
func TestDamagedJournal(t *testing.T) {
	write := func(t *testing.T, change func([]byte) []byte) (string, []byte) {
		dir := t.TempDir()
		table, _ := kept(t, dir, at)
		for _, who := range names(5) {
			table.ask(from(who, "203.0.113.7"), "caller", time.Hour, at)
		}
		file := filepath.Join(dir, File)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text = change(text)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return dir, text
	}
	f := func(what string, change func([]byte) []byte, aside string, want ...string) {
		t.Helper()
		dir, text := write(t, change)
		table, report := kept(t, dir, at)
		same(t, table, at, want...)
		if report.Aside != aside {
			t.Errorf("%s: %+v", what, report)
		}
		if aside != "" {
			if got, err := os.ReadFile(filepath.Join(dir, aside)); err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s: aside is %d bytes, %v", what, len(got), err)
			}
		}
		// What comes then is kept, and the next start finds a sound file.
		table.ask(from("later", "203.0.113.7"), "caller", time.Hour, at)
		table.Upkeep(at)
		again, report := kept(t, dir, at)
		same(t, again, at, append(slices.Clip(want), "later")...)
		if report.Aside != "" {
			t.Errorf("%s: after it was mended %+v", what, report)
		}
	}
	all := names(5)
	torn := File + ".bad-torn"
	foreign := File + ".bad-foreign"
	f("whole", func(b []byte) []byte { return b }, "", all...)
	f("cut off", func(b []byte) []byte { return b[:len(b)-10] }, torn, all[:4]...)
	f("a bit of the second block", func(b []byte) []byte {
		i := bytes.Index(b, []byte("caller-1"))
		b[i] ^= 4
		return b
	}, torn, "caller-0", "caller-2", "caller-3", "caller-4")
	f("zeros at the end", func(b []byte) []byte { return append(b, make([]byte, 4096)...) }, torn, all...)
	f("another key", func(b []byte) []byte {
		return append((&line{Op: opHead, KeyID: "another"}).append(nil), b[bytes.IndexByte(b, '\n')+1:]...)
	}, foreign)
	f("no head", func(b []byte) []byte { return b[bytes.IndexByte(b, '\n')+1:] }, foreign)
	f("something else", func([]byte) []byte { return []byte("<html>") }, foreign)
	f("empty", func([]byte) []byte { return nil }, "")
}

// On a full disk a block holds in memory, the operator is told, and it is written
// when there is room again.
func TestJournalOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	table, _ := kept(t, dir, at)
	told := ""
	table.trouble = func(text string) { told = text }
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := table.journal.file
	table.journal.file = full
	table.ask(from("acme", "203.0.113.7"), "caller", time.Hour, at)
	same(t, table, at, "acme")
	if !strings.Contains(told, "in memory only") || !strings.Contains(told, "no space left on device") {
		t.Errorf("told %q", told)
	}
	tmp := table.journal.path + ".tmp"
	if err := os.Symlink("/dev/full", tmp); err != nil {
		t.Fatal(err)
	}
	table.journal.file = file
	table.Upkeep(at)
	if told == "" {
		t.Error("it could not be written anew either, and that is not told")
	}
	if _, err := os.Lstat(tmp); err == nil {
		t.Error("what could not be written is in the way")
	}
	table.Upkeep(at)
	if told != "" {
		t.Errorf("there is room again, and told is %q", told)
	}
	again, _ := kept(t, dir, at)
	same(t, again, at, "acme")
}

// Somebody is released though nothing can be written, and whoever does it is told
// that a restart before there is room would bring the block back.
func TestReleaseOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	table, _ := kept(t, dir, at)
	table.ask(from("acme", "203.0.113.7"), "caller", time.Hour, at)
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	file := table.journal.file
	table.journal.file = full
	b, err := table.Release(table.List(at)[0].ID, "alice", at)
	if b == nil || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("released %v, %v", b, err)
	}
	same(t, table, at)
	early, _ := kept(t, dir, at)
	same(t, early, at, "acme")
	table.journal.file = file
	table.Upkeep(at)
	late, _ := kept(t, dir, at)
	same(t, late, at)
}

// The journal does not grow with what is history, and loses nothing of what is
// changed while it is written anew.
func TestJournalIsWrittenAnew(t *testing.T) {
	dir := t.TempDir()
	table, _ := kept(t, dir, at)
	const writers, rounds = 4, 400
	var all, upkeep sync.WaitGroup
	done := make(chan struct{})
	upkeep.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if err := table.compact(at); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for w := range writers {
		all.Go(func() {
			for i := range rounds {
				who := fmt.Sprintf("caller-%d-%d", w, i%50)
				table.ask(from(who, "203.0.113.7"), "caller", time.Hour, at)
				if rand.IntN(2) == 0 {
					table.Release(policy.Hash(key(profile.KindCaller, []byte(who)))[:16], "alice", at)
				}
			}
		})
	}
	all.Wait()
	close(done)
	upkeep.Wait()
	again, report := kept(t, dir, at)
	if report.Damaged > 0 {
		t.Errorf("%+v", report)
	}
	if got, want := again.holding(at), table.holding(at); !slices.Equal(got, want) {
		t.Errorf("%d are held after a restart, %d before", len(got), len(want))
	}
	table.journal.changes = 1 << 20
	table.Upkeep(at)
	if info, _ := os.Stat(filepath.Join(dir, File)); info.Size() > int64(len(table.holding(at))+1)*500 {
		t.Errorf("%d bytes for %d blocks", info.Size(), len(table.holding(at)))
	}
}

// While a successor takes over, what one does the other takes up, whoever ends
// first, and nobody writes the journal anew.
func TestJournalIsShared(t *testing.T) {
	dir := t.TempDir()
	old, _ := kept(t, dir, at)
	old.ask(from("before", "203.0.113.7"), "caller", time.Hour, at)
	old.Share(at)
	old.ask(from("meanwhile", "203.0.113.7"), "network", time.Hour, at)
	heir, _ := kept(t, dir, at, true)
	same(t, heir, at, "203.0.113.0/24", "before")
	told := 0
	heir.Watch(func() { told++ })
	old.ask(from("late", "198.51.100.7"), "address", time.Hour, at)
	heir.Release(heir.Of(key(profile.KindCaller, []byte("before")), at).ID, "alice", at)
	old.journal.changes, heir.journal.changes = 1<<20, 1<<20
	old.Upkeep(at)
	heir.Upkeep(at)
	same(t, heir, at, "198.51.100.7", "203.0.113.0/24")
	same(t, old, at, "198.51.100.7", "203.0.113.0/24")
	if told == 0 {
		t.Error("the edge is not told")
	}
	old.ask(from("last", "203.0.113.7"), "caller", time.Hour, at)
	heir.Alone(at)
	same(t, heir, at, "198.51.100.7", "203.0.113.0/24", "last")
	heir.Upkeep(at)
	again, report := kept(t, dir, at)
	if report.Damaged > 0 {
		t.Errorf("%+v", report)
	}
	same(t, again, at, "198.51.100.7", "203.0.113.0/24", "last")
}

// Nothing in a file makes loading fail, and a sound line is found among whatever
// stands around it.
func FuzzJournal(f *testing.F) {
	sound := &record{Block: policy.Block{
		Entity: "caller", Key: profile.Key{Hi: 1, Lo: 2}, Hash: policy.Hash(profile.Key{Hi: 1, Lo: 2}), ID: policy.Hash(profile.Key{Hi: 1})[:16],
		Name: "acme", Since: at, Until: at.Add(time.Hour), Rung: 1, Author: policy.ByPolicy,
	}}
	good := (&line{Op: opImpose, Block: &sound.Block}).append(nil)
	f.Add([]byte("\n"), []byte("\x00"))
	f.Add(good, good[:20])
	f.Add((&line{Op: opRelease, Hash: sound.Hash, At: at}).append(nil), []byte("00000000 {}\n"))
	f.Add((&line{Op: opHead, KeyID: "x"}).append(nil), []byte(`ffffffff {"op":"impose"}`))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		dir := t.TempDir()
		text := (&line{Op: opHead, KeyID: "a key"}).append(nil)
		text = append(append(append(append(text, before...), '\n'), good...), after...)
		if err := os.WriteFile(filepath.Join(dir, File), text, 0o600); err != nil {
			t.Fatal(err)
		}
		table, _ := kept(t, dir, at)
		got := table.Of(sound.Key, at)
		released := bytes.Contains(after, []byte(opRelease)) || bytes.Contains(after, []byte(opImpose))
		if got == nil && !released {
			t.Fatalf("the block is lost between %q and %q", before, after)
		}
		for _, b := range table.List(at) {
			if b.Until.Sub(at) > 2*MaxTTL || b.Hash != policy.Hash(b.Key) {
				t.Fatalf("%+v", b)
			}
		}
	})
}
