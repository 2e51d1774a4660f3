package profile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// LoadReport says what Load found, for the log.
type LoadReport struct {
	Snapshot string    // the name of the one loaded, empty when the store starts empty
	Saved    time.Time // when it was made
	Records  int       // in the store now
	Dropped  int       // more that were in the snapshot: no room for them, or refused
	Memory   Bytes     // what there was room in
	Layout   int       // of its records; an older one was brought up to Version
	Refused  int       // of those dropped, the unreadable
	Why      error     // of the first refused
	Aside    []Aside   // snapshots that could not be used
}

// Aside is a snapshot that was renamed, to be looked at or deleted by hand.
type Aside struct {
	Snapshot string // its name before
	Renamed  string // and now
	Reason   string // a sentence's end: "it breaks off after 512 records"
}

// String says it in sentences that tell the operator what happened, why, and
// what follows.
func (r LoadReport) String() string {
	var b strings.Builder
	for _, a := range r.Aside {
		fmt.Fprintf(&b, "%s was set aside as %s: %s. ", a.Snapshot, a.Renamed, a.Reason)
	}
	switch {
	case r.Snapshot != "":
		fmt.Fprintf(&b, "Loaded %d profiles from %s, saved %s", r.Records, r.Snapshot, r.Saved.UTC().Format(time.RFC3339))
		if r.Layout != Version {
			fmt.Fprintf(&b, "; their layout %d was brought up to %d", r.Layout, Version)
		}
		if n := r.Dropped - r.Refused; n > 0 {
			fmt.Fprintf(&b, "; %d more did not fit into profile.memory, which is %v now: newcomers went first, then those unseen for longest", n, r.Memory)
		}
		if r.Refused > 0 {
			fmt.Fprintf(&b, "; %d more were refused (%v)", r.Refused, r.Why)
		}
		b.WriteString(".")
	case len(r.Aside) > 0:
		b.WriteString("No other snapshot is left: starting with no profiles, everybody is new.")
	default:
		b.WriteString("No snapshot yet: starting with no profiles.")
	}
	return b.String()
}

// Load returns a store with the profiles of the current snapshot in dir, or of
// an older one when that cannot be used, or with none. A snapshot that is torn,
// foreign, or made by another version or with another key is set aside and
// reported; it is no error. Errors are for what an operator has to mend first:
// dir is missing, cannot be read or written, cfg is invalid.
func Load(dir string, cfg Config, meta Meta) (*Store, LoadReport, error) {
	return load(osDisk{}, dir, cfg, meta)
}

func load(d disk, dir string, cfg Config, meta Meta) (*Store, LoadReport, error) {
	var report LoadReport
	if err := cfg.Validate(); err != nil {
		return nil, report, err
	}
	entries, err := readDataDir(dir)
	if err != nil {
		return nil, report, err
	}
	if err := probe(d, dir); err != nil {
		return nil, report, fmt.Errorf("data_dir %s cannot be written, so profiles would be lost at the next stop: %w", dir, err)
	}
	for _, name := range candidates(dir, entries) {
		s := New(cfg)
		found, err := s.read(filepath.Join(dir, name, recordsName), meta)
		if err == nil {
			found.Snapshot, found.Memory, found.Aside = name, cfg.Memory, report.Aside
			return s, found, nil
		}
		s.Close()
		var unfit *badSnapshot
		if !errors.As(err, &unfit) {
			return nil, report, fmt.Errorf("read snapshot %s: %w", filepath.Join(dir, name), err)
		}
		renamed, err := setAside(d, filepath.Join(dir, name), unfit.reason)
		if err != nil {
			return nil, report, fmt.Errorf("snapshot %s cannot be used (%v), nor set aside: %w", filepath.Join(dir, name), unfit, err)
		}
		report.Aside = append(report.Aside, Aside{name, renamed, unfit.text})
	}
	return New(cfg), report, nil
}

// probe finds out now what would otherwise fail at the first snapshot.
func probe(d disk, dir string) error {
	path := filepath.Join(dir, "writable.tmp")
	f, err := d.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), d.RemoveAll(path))
}

// candidates are the snapshots to try: the one CURRENT names, then the others
// that are whole by their name, the newest first.
func candidates(dir string, entries []dirEntry) []string {
	var names []string
	for _, e := range entries {
		if e.state == stateWhole {
			names = append(names, e.name)
		}
	}
	// Only a name that is listed counts, so CURRENT cannot lead out of dir.
	if i := slices.Index(names, readCurrent(dir)); i > 0 {
		current := names[i]
		names = slices.Insert(slices.Delete(names, i, i+1), 0, current)
	}
	return names
}

// read fills an empty store from a snapshot file.
func (s *Store) read(path string, meta Meta) (LoadReport, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return LoadReport{}, bad(reasonTorn, "its file %s is missing", recordsName)
	}
	if err != nil {
		return LoadReport{}, err
	}
	defer f.Close()
	return s.decode(f, meta)
}

// decode restores every record in the snapshot that r reads. Records carry no
// place, so any amount of memory will do: who finds no room in it goes the way
// of all, to the level below or, newcomers first, for good.
func (s *Store) decode(r io.Reader, meta Meta) (report LoadReport, err error) {
	d, err := newDecoder(r, meta)
	if err != nil {
		return report, err
	}
	report.Saved, report.Layout = d.saved, int(d.layout)
	var rec Record
	for {
		block, err := d.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return report, err
		}
		for b := range slices.Chunk(block, RecordSize) {
			if err := Decode(b, &rec); err != nil {
				report.Refused++
				report.Why = cmp.Or(report.Why, err)
				continue
			}
			s.restore(&rec, meta.Now)
		}
	}
	st := s.Stats()
	report.Records = st.Total + st.Below
	report.Dropped = report.Refused + int(st.EvictedProbation+st.EvictedProtected)
	s.startCounting()
	return report, nil
}

// startCounting leaves loading out of the hit rates.
func (s *Store) startCounting() {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		sh.found, sh.missed = 0, 0
		sh.mu.Unlock()
	}
}

// restore puts a record of a snapshot back. What was true of the process that
// saved it is not of this one: nothing is in flight. A clock ahead of ours
// (it was set back since) would hold every ring still until we catch up, so
// such a record starts its rings anew.
func (s *Store) restore(from *Record, now time.Time) {
	rec, pin, created := s.Acquire(from.Key, from.Kind, from.LastSeen)
	defer pin.Release()
	if !created && (rec.LastSeen > from.LastSeen || rec.Kind != from.Kind) {
		return // met twice while saving; the later one is it
	}
	generation := rec.Generation
	*rec = *from
	rec.Generation = generation
	rec.InFlight = 0
	if seconds := now.Unix(); !now.IsZero() && int64(rec.LastSeen) > seconds {
		rec.LastSeen = uint32(max(seconds, 0))
		rec.Created = min(rec.Created, rec.LastSeen)
		rec.Rings, rec.HabitRings = Rings{}, HabitRings{}
	}
}
