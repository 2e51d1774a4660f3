package profile

import (
	"errors"
	"fmt"
	"path/filepath"
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
// After a Forget it is the only snapshot left: the older ones, which still hold
// what was forgotten, are removed, and those set aside with them.
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
	forgotten := s.forgotten.Load() // before the first record is read
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
	if forgotten == s.purged {
		return prune(d, dir, name, keep, keep)
	}
	if err := prune(d, dir, name, 1, 0); err != nil {
		return fmt.Errorf("profiles are saved, but older snapshots still hold what was forgotten: %w", err)
	}
	s.purged = forgotten
	return nil
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
	collect := func(r *Record) bool {
		block = Encode(block, r)
		return true
	}
	flush := func() bool {
		if len(block) > 0 {
			err = e.block(block)
			block = block[:0]
		}
		return err == nil
	}
	for i := range s.shards {
		if !s.shards[i].each(collect, flush) {
			return err
		}
	}
	return e.end()
}

func setCurrent(d disk, dir, name string) error {
	_, err := swapFile(d, filepath.Join(dir, currentName), []byte(name+"\n"))
	return err
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
