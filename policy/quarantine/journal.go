package quarantine

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// File is the journal's name in data_dir.
const File = "quarantine.journal"

// journal is the file in which changes stand. It is appended to, and written anew
// when most of it is history. The table's mu guards it, but for compacting.
type journal struct {
	path   string
	head   line
	writer string // this process
	file   *os.File

	changes  int   // since it was written anew
	failures int   // to append
	broken   bool  // it lacks what memory has: it is to be written anew
	unsynced bool  // since the last fsync
	end      int64 // of what we know of it
	shared   bool  // another process appends to it, too: see Share

	compacting sync.Mutex // held while it is written anew; before mu
}

// LoadReport says what a journal held.
type LoadReport struct {
	Blocks  int      // that hold
	Damaged int      // lines
	Exempt  int      // blocks of who is never blocked, by now
	Aside   string   // the file that was set aside or copied, "" if none
	Reasons []string // it was
}

// Load takes up the journal in dir, and keeps it from now on: what it cannot read
// it sets aside and goes on without. keyID names the key under which entities are
// hashed: a journal of another one tells nothing. shared: see Share. An error
// means that dir cannot be used.
func (t *Table) Load(dir, keyID string, now time.Time, shared bool) (report LoadReport, err error) {
	var id [4]byte
	rand.Read(id[:]) // never fails
	j := &journal{path: filepath.Join(dir, File), head: line{Op: opHead, KeyID: keyID}, writer: hex.EncodeToString(id[:]), shared: shared}
	text, err := os.ReadFile(j.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return report, fmt.Errorf("read quarantines: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(text) > 0 {
		if report, err = t.loadText(j, text, now); err != nil {
			return report, err
		}
	}
	if j.end == 0 {
		head := j.head.append(nil)
		if err := profile.ReplaceFile(j.path, head); err != nil {
			return report, err
		}
		j.end = int64(len(head))
	}
	if j.file, err = os.OpenFile(j.path, os.O_RDWR|os.O_APPEND, 0); err != nil {
		return report, fmt.Errorf("open quarantines: %w", err)
	}
	t.journal = j
	return report, nil
}

// loadText takes up what a journal holds. One of which lines are damaged is
// copied, and to be written anew; one that is no journal of ours is set aside.
func (t *Table) loadText(j *journal, text []byte, now time.Time) (report LoadReport, err error) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	head, bad := parse(first)
	if bad != nil || head.Op != opHead || head.KeyID != j.head.KeyID {
		why := "it does not begin like one"
		if bad == nil && head.Op == opHead {
			why = "its identities are hashed under another key"
		}
		report.Reasons = append(report.Reasons, why)
		report.Aside, err = profile.SetAside(j.path, "foreign")
		return report, err
	}
	if whole := bytes.LastIndexByte(rest, '\n') + 1; j.shared {
		rest = rest[:whole] // the other is writing the last
	}
	j.end = int64(len(first) + 1 + len(rest))
	t.take(rest, "", now, &report)
	report.Blocks = int(t.live.Load())
	if report.Damaged > 0 {
		j.broken = true
		report.Reasons = append(report.Reasons, fmt.Sprintf("%d of its lines are damaged", report.Damaged))
		report.Aside = File + ".bad-torn"
		err = os.WriteFile(j.path+".bad-torn", text, 0o600)
	}
	return report, err
}

// take takes up the lines of a text, but those of one writer. What follows the
// last LF is a line that was cut off. The caller holds mu.
func (t *Table) take(text []byte, except string, now time.Time, report *LoadReport) {
	for len(text) > 0 {
		var one []byte
		if one, text, _ = bytes.Cut(text, []byte("\n")); len(one) == 0 {
			continue
		}
		l, err := parse(one)
		switch {
		case err != nil:
			report.Damaged++
		case except != "" && l.Writer == except:
		case l.Op == opImpose:
			if t.never.entity(l.Block) != "" {
				report.Exempt++
			} else if t.room(l.Block, now) || !now.Before(l.Block.Until) {
				t.put(&record{Block: *l.Block, ended: !now.Before(l.Block.Until)})
				t.ends(l.Block)
			}
		case l.Op == opRelease:
			k, _ := parseHash(l.Hash)
			if r := t.index.Load().find(k); r != nil {
				t.put(r.released(l.At))
			}
		}
	}
}

// write appends a change. The caller holds mu, and the change is in force. An
// error has been told as a trouble, and what is missing is written with the next
// journal.
func (t *Table) write(l line) error {
	j := t.journal
	if j == nil {
		return nil
	}
	l.Writer = j.writer
	text := l.append(nil)
	if j.broken { // whatever was written last may be half a line
		text = append([]byte("\n"), text...)
	}
	n, err := j.file.Write(text)
	if j.changes++; !j.shared { // else what follows is read to the end
		j.end += int64(n)
	}
	j.unsynced = true
	if err != nil {
		j.broken = true
		j.failures++
		t.metrics.unwritten.Inc()
		t.unwritten(err)
	}
	return err
}

func (t *Table) unwritten(err error) {
	t.trouble("quarantines and releases hold in memory only and end with the process, until they can be written again: " + err.Error())
}

// Share says that another process has the same journal, since a successor takes
// over: both append, nobody writes it anew, and each takes up what the other
// does, within a second. Alone ends that.
func (t *Table) Share(now time.Time) { t.share(true, now) }

// Alone takes up what the other has written last.
func (t *Table) Alone(now time.Time) { t.share(false, now) }

func (t *Table) share(shared bool, now time.Time) {
	j := t.journal
	if j == nil {
		return
	}
	j.compacting.Lock()
	defer j.compacting.Unlock()
	t.follow(now)
	t.mu.Lock()
	j.shared = shared
	t.mu.Unlock()
}

// follow takes up what another process has written.
func (t *Table) follow(now time.Time) {
	t.mu.Lock()
	j := t.journal
	if !j.shared {
		t.mu.Unlock()
		return
	}
	text, err := io.ReadAll(io.NewSectionReader(j.file, j.end, 1<<30))
	whole := bytes.LastIndexByte(text, '\n') + 1
	t.take(text[:whole], j.writer, now, &LoadReport{})
	j.end += int64(whole)
	t.mu.Unlock()
	if err != nil {
		t.log.Error().Err(err).Msg("quarantines of the other wonted cannot be read")
	}
	if whole > 0 {
		t.changed()
	}
}

// Upkeep makes durable what was written, and writes the journal anew where that
// is due.
func (t *Table) Upkeep(now time.Time) {
	j := t.journal
	if j == nil {
		return
	}
	t.follow(now)
	t.mu.Lock()
	unsynced := j.unsynced
	j.unsynced = false
	due := !j.shared && (j.broken || j.changes > 1000+2*int(t.live.Load()))
	t.mu.Unlock()
	var err error
	if unsynced {
		if err = j.file.Sync(); err != nil {
			t.mu.Lock()
			j.broken = true
			t.mu.Unlock()
		}
	}
	if due {
		err = t.compact(now)
		if err == nil {
			t.trouble("")
		}
	}
	if err != nil {
		t.unwritten(err)
	}
}

// compact writes the journal anew, beside the old one, and puts it in its place.
// Changes go on meanwhile.
func (t *Table) compact(now time.Time) (err error) {
	j := t.journal
	j.compacting.Lock()
	defer j.compacting.Unlock()
	t.mu.Lock()
	if j.shared {
		t.mu.Unlock()
		return nil
	}
	failures := j.failures
	info, err := j.file.Stat()
	t.mu.Unlock()
	if err != nil {
		return err
	}
	text := t.snapshot(now)
	tmp := j.path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	old := j.file
	if err == nil {
		err = t.swap(f, tmp, info.Size(), failures)
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(tmp))
	}
	return cmp.Or(f.Sync(), syncDir(filepath.Dir(j.path)), old.Close())
}

// swap puts the new journal in the place of the old one, with what was appended
// to that after from.
func (t *Table) swap(f *os.File, tmp string, from int64, failures int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	j := t.journal
	n, err := io.Copy(f, io.NewSectionReader(j.file, from, 1<<30))
	if err == nil {
		err = os.Rename(tmp, j.path)
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	j.file, j.end, j.unsynced = f, info.Size(), false
	j.broken = j.failures != failures
	j.changes = 0
	if n > 0 {
		j.changes = 1
	}
	return nil
}

// snapshot is a journal of what is known now. It takes no lock, since requests
// wait that are to be put under quarantine: what changes meanwhile is in it or not,
// and is appended to the old journal as well.
func (t *Table) snapshot(now time.Time) []byte {
	text := t.journal.head.append(nil)
	t.index.Load().each(func(r *record) bool {
		if !r.ended || r.rung(now) > 0 {
			text = (&line{Op: opImpose, Block: &r.Block, Writer: t.journal.writer}).append(text)
		}
		return true
	})
	return text
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
