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
)

// prune keeps the current snapshot and others up to keepWhole (the one before,
// as a rule), and the last keepAside that were set aside (somebody may want to
// see why); the rest goes, remains of broken saves included.
func prune(d disk, dir, current string, keepWhole, keepAside int) error {
	entries, err := readDataDir(dir)
	if err != nil {
		return err
	}
	whole, aside := 0, 0
	for _, e := range entries {
		switch {
		case e.state == stateWhole:
			if whole++; e.name == current || whole <= keepWhole {
				continue
			}
		case e.state == stateAside:
			if aside++; aside <= keepAside {
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

// readCurrent is the name of the snapshot that counts.
func readCurrent(dir string) string {
	b, _ := os.ReadFile(filepath.Join(dir, currentName)) // none is like one that names nothing
	return strings.TrimSpace(string(b))
}
