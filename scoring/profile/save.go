package profile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Meta says for whom a snapshot is.
type Meta struct {
	KeyID string    // names the identity key, at most 64 bytes: a snapshot made with another is refused
	Now   time.Time // when
}

const (
	currentName  = "CURRENT"  // holds the name of the snapshot that counts
	recordsName  = "profiles" // the file in a snapshot's directory
	snapshotName = "snapshot-"
	keep         = 2 // snapshots, and as many of those set aside
)

// Save writes a snapshot of the store into dir, which must exist, beside
// traffic: no lock is held while writing, and none for longer than a block
// takes to copy. Every record is consistent in itself, and about as old as the
// save took.
//
// It is made in a directory of another name, synced, renamed, and counts once
// CURRENT has been replaced: at every moment, whatever breaks off, there is
// the old snapshot or the new one. A failed Save leaves the old one.
func (s *Store) Save(dir string, meta Meta) error { return s.save(osDisk{}, dir, meta) }

func (s *Store) save(d disk, dir string, meta Meta) error {
	s.saving.Lock() // the timer's and the one at the end take turns
	defer s.saving.Unlock()
	entries, err := readDataDir(dir)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s%08d", snapshotName, nextNumber(entries))
	path := filepath.Join(dir, name)
	err = s.build(d, dir, path, meta)
	if err == nil {
		err = setCurrent(d, dir, name)
	}
	if err != nil && readCurrent(dir) != name {
		// Best effort: what stays behind is swept by the next Save.
		err = errors.Join(err, d.RemoveAll(path+".tmp"), d.RemoveAll(path))
		return fmt.Errorf("save profiles to %s: %w; the previous snapshot, if any, stays current", dir, err)
	}
	if err != nil {
		return fmt.Errorf("save profiles to %s: %w; the new snapshot may not survive a power cut", dir, err)
	}
	return prune(d, dir, name)
}

// build makes the snapshot under its own name, durably.
func (s *Store) build(d disk, dir, path string, meta Meta) error {
	tmp := path + ".tmp"
	if err := d.Mkdir(tmp); err != nil {
		return err
	}
	if err := writeFile(d, filepath.Join(tmp, recordsName), func(f file) error { return s.write(f, meta) }); err != nil {
		return err
	}
	if err := d.SyncDir(tmp); err != nil {
		return err
	}
	if err := d.Rename(tmp, path); err != nil {
		return err
	}
	return d.SyncDir(dir)
}

// write is the snapshot's content: shard by shard, a block under the lock at a time.
func (s *Store) write(f file, meta Meta) error {
	e, err := newEncoder(f, meta)
	if err != nil {
		return err
	}
	block := make([]byte, 0, blockRecords*RecordSize)
	for i := range s.shards {
		sh := &s.shards[i]
		for from, more := uint32(0), true; more; from += rangeStep {
			block = block[:0]
			_, more = sh.rangeFrom(from, func(r *Record) bool {
				block = Encode(block, r)
				return true
			})
			if len(block) == 0 {
				continue
			}
			if err := e.block(block); err != nil {
				return err
			}
		}
	}
	return e.end()
}

func setCurrent(d disk, dir, name string) error {
	path := filepath.Join(dir, currentName)
	err := writeFile(d, path+".tmp", func(f file) error {
		_, err := f.Write([]byte(name + "\n"))
		return err
	})
	if err != nil {
		return err
	}
	if err := d.Rename(path+".tmp", path); err != nil {
		return err
	}
	return d.SyncDir(dir)
}

func readCurrent(dir string) string {
	b, _ := os.ReadFile(filepath.Join(dir, currentName)) // none is like one that names nothing
	return strings.TrimSpace(string(b))
}

// writeFile creates, fills, syncs and closes a file.
func writeFile(d disk, path string, fill func(file) error) error {
	f, err := d.Create(path)
	if err != nil {
		return err
	}
	if err := fill(f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// prune keeps the current snapshot, the one before, and the last two that were
// set aside (somebody may want to see why); the rest goes, remains of broken
// saves included.
func prune(d disk, dir, current string) error {
	entries, err := readDataDir(dir)
	if err != nil {
		return err
	}
	whole, aside := 0, 0
	for _, e := range entries {
		switch {
		case e.state == stateWhole:
			if whole++; e.name == current || whole <= keep {
				continue
			}
		case e.state == stateAside:
			if aside++; aside <= keep {
				continue
			}
		}
		if err := d.RemoveAll(filepath.Join(dir, e.name)); err != nil {
			return fmt.Errorf("remove an old snapshot: %w", err)
		}
	}
	return nil
}

// dirEntry is a directory in data_dir that is ours by its name:
// snapshot-00000007, snapshot-00000008.tmp, snapshot-00000006.bad-torn.
type dirEntry struct {
	name   string
	number int
	state  entryState
}

type entryState uint8

const (
	stateWhole entryState = iota
	stateBroken
	stateAside
)

// readDataDir lists the snapshots in dir, the newest first.
func readDataDir(dir string) ([]dirEntry, error) {
	names, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("data_dir %s does not exist: create it, or leave data_dir empty to keep profiles in memory only", dir)
	case err != nil:
		return nil, fmt.Errorf("data_dir %s cannot be read: %w", dir, err)
	}
	var entries []dirEntry
	for _, n := range names {
		if e, ok := parseEntry(n.Name()); ok && n.IsDir() {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b dirEntry) int { return cmp.Compare(b.number, a.number) })
	return entries, nil
}

func parseEntry(name string) (e dirEntry, ok bool) {
	rest, ok := strings.CutPrefix(name, snapshotName)
	digits, suffix, dotted := strings.Cut(rest, ".")
	number, err := strconv.Atoi(digits)
	if !ok || err != nil || number < 0 || len(digits) < 8 || len(digits) > 12 || digits[0] == '+' {
		return e, false
	}
	e = dirEntry{name, number, stateWhole}
	switch {
	case suffix == "tmp":
		e.state = stateBroken
	case strings.HasPrefix(suffix, "bad-"):
		e.state = stateAside
	case dotted:
		return e, false
	}
	return e, true
}

func nextNumber(entries []dirEntry) int {
	if len(entries) == 0 {
		return 1
	}
	return entries[0].number + 1
}
