package profile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// snapshot returns a saved store's directory and the path of its file.
func snapshot(t *testing.T, n int) (dir, path string) {
	dir = t.TempDir()
	mustSave(t, filled(t, n), dir)
	return dir, filepath.Join(dir, "snapshot-00000001", recordsName)
}

// Every truncation is detected, and every changed byte.
func TestDamageIsDetected(t *testing.T) {
	_, path := snapshot(t, 300)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, at int, b []byte) {
		t.Helper()
		d, err := newDecoder(bytes.NewReader(b), testMeta)
		for err == nil {
			_, err = d.next()
		}
		var unfit *badSnapshot
		if err == io.EOF || !errors.As(err, &unfit) {
			t.Fatalf("%s at %d of %d: %v", what, at, len(whole), err)
		}
	}
	offsets := map[int]bool{}
	for i := range len(whole) {
		if i < 300 || i > len(whole)-300 || i%97 == 0 || i%RecordSize < 2 {
			offsets[i] = true
		}
	}
	changed := bytes.Clone(whole)
	for i := range offsets {
		check("cut", i, whole[:i])
		changed[i] ^= 1 << (i % 8)
		check("changed", i, changed)
		changed[i] = whole[i]
	}
	check("lengthened", len(whole), append(bytes.Clone(whole), 0))

	// Two whole blocks of one shard's snapshot change places, or one is missing.
	var b bytes.Buffer
	e, _ := newEncoder(&b, testMeta)
	header := b.Len()
	for i := range 3 {
		if err := e.block(Encode(nil, &Record{Header: Header{Key: Key{uint64(i), 0}, Version: Version, Kind: KindUser}})); err != nil {
			t.Fatal(err)
		}
	}
	const block = 8 + RecordSize + 8
	if err := e.end(); err != nil {
		t.Fatal(err)
	}
	f := b.Bytes()
	swapped := bytes.Clone(f)
	copy(swapped[header:], f[header+block:header+2*block])
	copy(swapped[header+block:], f[header:header+block])
	check("swapped", header, swapped)
	check("lost", header, append(bytes.Clone(f[:header]), f[header+block:]...))
}

func TestLoadSetsAside(t *testing.T) {
	f := func(damage func(b []byte) []byte, meta Meta, renamed, why string) {
		t.Helper()
		dir, path := snapshot(t, 300)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, damage(b), 0o600); err != nil {
			t.Fatal(err)
		}
		s, report, err := Load(dir, Config{Memory: MinMemory}, meta)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		text := report.String()
		if s.Stats().Total != 0 || len(report.Aside) != 1 || report.Aside[0].Renamed != renamed ||
			!strings.HasPrefix(text, "snapshot-00000001 was set aside as "+renamed+": ") ||
			!strings.Contains(text, why) ||
			!strings.HasSuffix(text, "No other snapshot is left: starting with no profiles, everybody is new.") {
			t.Errorf("%d records: %s", s.Stats().Total, text)
		}
		if names := list(t, dir); names != "CURRENT "+renamed {
			t.Errorf("left: %s", names)
		}
		// And life goes on, with a number that was not used before.
		if err := s.Save(dir, meta); err != nil {
			t.Fatal(err)
		}
		if s, report := mustLoadAs(t, dir, meta); report.Snapshot != "snapshot-00000002" || s.Stats().Total != 0 {
			t.Errorf("afterwards: %s", report)
		}
	}
	same := func(b []byte) []byte { return b }
	f(func(b []byte) []byte { return b[:len(b)-1] }, testMeta, "snapshot-00000001.bad-torn", "breaks off after 300 records")
	f(func(b []byte) []byte { return nil }, testMeta, "snapshot-00000001.bad-torn", "breaks off after 0 records")
	f(func(b []byte) []byte { b[500] ^= 1; return b }, testMeta, "snapshot-00000001.bad-torn", "damaged")
	f(func(b []byte) []byte { return []byte("PK\x03\x04 a zip of somebody's") }, testMeta, "snapshot-00000001.bad-foreign", "no snapshot of wonted's")
	f(func(b []byte) []byte { b[8] = 2; return b }, testMeta, "snapshot-00000001.bad-version", "file format 2, and this wonted reads 1")
	f(same, Meta{KeyID: "key-two", Now: testMeta.Now}, "snapshot-00000001.bad-key", `made with another identity_key ("key-one", and this one is "key-two")`)
}

func mustLoadAs(t *testing.T, dir string, meta Meta) (*Store, LoadReport) {
	t.Helper()
	s, report, err := Load(dir, Config{Memory: MinMemory}, meta)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, report
}

// When the newest is torn the one before is used.
func TestLoadFallsBack(t *testing.T) {
	dir := t.TempDir()
	mustSave(t, filled(t, 300), dir)
	mustSave(t, filled(t, 700), dir)
	if err := os.Truncate(filepath.Join(dir, "snapshot-00000002", recordsName), 100_000); err != nil {
		t.Fatal(err)
	}
	s, report := mustLoad(t, dir)
	if n, err := holds(s); err != nil || n != 300 || report.Snapshot != "snapshot-00000001" {
		t.Errorf("%d records, %v: %s", n, err, report)
	}
	if text := report.String(); !strings.HasPrefix(text, "snapshot-00000002 was set aside as snapshot-00000002.bad-torn: it breaks off after ") ||
		!strings.Contains(text, "Loaded 300 profiles from snapshot-00000001") {
		t.Error(text)
	}
	// The file itself missing, and a CURRENT of nonsense that leads elsewhere.
	mustSave(t, filled(t, 700), dir)
	if err := os.Remove(filepath.Join(dir, "snapshot-00000003", recordsName)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, currentName), []byte("../../etc"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, report = mustLoad(t, dir)
	if n, err := holds(s); err != nil || n != 300 || !strings.Contains(report.String(), "its file profiles is missing") {
		t.Errorf("%d records, %v: %s", n, err, report)
	}
}

// A disk that cannot be read is no torn snapshot: nothing is renamed, the
// operator decides.
func TestLoadDoesNotMistakeIOErrors(t *testing.T) {
	dir, path := snapshot(t, 10)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil { // reading a directory fails with EISDIR
		t.Fatal(err)
	}
	_, _, err := Load(dir, Default(), testMeta)
	if !errors.Is(err, syscall.EISDIR) || !strings.Contains(err.Error(), "read snapshot") {
		t.Errorf("error %v", err)
	}
	if names := list(t, dir); names != "CURRENT snapshot-00000001" {
		t.Errorf("left: %s", names)
	}
}

// Whatever a snapshot file holds, it loads or is refused, without panic, and
// what is loaded is safe.
func FuzzLoad(f *testing.F) {
	var b bytes.Buffer
	s := filled(f, 3)
	if err := s.write(nopSync{&b}, testMeta); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:headerSize])
	f.Add(b.Bytes()[headerSize+8:])
	nonsense := bytes.Repeat([]byte{0xFF}, 3*RecordSize)
	for i, k := range []Kind{KindCaller, KindRoute, KindUser} { // the same key, as one kind and another
		nonsense[i*RecordSize+16], nonsense[i*RecordSize+17] = Version, byte(k)
	}
	f.Add(nonsense)
	f.Add([]byte(formatMagic))
	into := New(Config{Memory: MinMemory})
	f.Fuzz(func(t *testing.T, b []byte) {
		// As it comes: nearly always refused, for its sums.
		if _, err := into.decode(bytes.NewReader(b), testMeta); err != nil {
			var unfit *badSnapshot
			if !errors.As(err, &unfit) {
				t.Fatalf("error %v", err)
			}
		}
		// As records in a file that is sound.
		var sound bytes.Buffer
		e, err := newEncoder(&sound, testMeta)
		if err != nil {
			t.Fatal(err)
		}
		blocks := 0
		for block := range slices.Chunk(b[:len(b)/RecordSize*RecordSize], blockRecords*RecordSize) {
			blocks++
			if err := e.block(block); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.end(); err != nil {
			t.Fatal(err)
		}
		if _, err := into.decode(&sound, testMeta); err != nil {
			t.Fatalf("%d sound blocks are refused: %v", blocks, err)
		}
		into.Range(func(r *Record) bool {
			safe(t, r)
			return true
		})
	})
}

type nopSync struct{ io.Writer }

func (nopSync) Sync() error  { return nil }
func (nopSync) Close() error { return nil }
