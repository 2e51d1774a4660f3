package admin

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"
)

// Entry is one change in the audit trail. Its JSON names are a contract.
//
// In the file a change has two lines of the same id: one before anything is
// done, with status 0, and one with what came of it. A change without the
// second was under way when wonted was killed, or the disk was full by then.
type Entry struct {
	Time   time.Time `json:"time"` // when it was asked for
	ID     string    `json:"id"`   // random, 16 hex digits
	Who    string    `json:"who"`  // name of the token or certificate; "local": nobody was asked
	User   string    `json:"user"` // of the operating system, as the command said; "" where it did not
	From   string    `json:"from"` // address
	Method string    `json:"method"`
	Path   string    `json:"path"`   // what may be a secret in it is hashed
	About  string    `json:"about"`  // whom or what, in words of the route
	Reason string    `json:"reason"` // "" where none was given
	Status int       `json:"status"` // of the answer; 0: not known
}

// File is appended to, line by line; *recorded.File is one.
type File interface {
	io.Writer
	Sync() error
}

// trailKept is how many changes are kept in memory for GET /v1/audit.
const trailKept = 1000

// Trail writes every change down. It is safe for concurrent use.
type Trail struct {
	mu   sync.Mutex
	file File // nil: the log alone
	log  func(Entry)
	kept []*Entry
	byID map[string]*Entry
}

// NewTrail writes to file, which may be nil, and tells log of each change once
// its outcome is known.
func NewTrail(file File, log func(Entry)) *Trail {
	return &Trail{file: file, log: log, byID: map[string]*Entry{}}
}

// Read takes up what an earlier process has written, for Last. It says how many
// lines were no entries: what a power cut has left of one.
func (t *Trail) Read(lines io.Reader) (odd int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for r := bufio.NewReader(lines); ; {
		line, err := r.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var e Entry
			if json.Unmarshal(line, &e) != nil || e.ID == "" {
				odd++
			} else {
				t.keep(e)
			}
		}
		if errors.Is(err, io.EOF) {
			return odd, nil
		} else if err != nil {
			return odd, err
		}
	}
}

// Put writes a line and returns when the disk has it.
func (t *Trail) Put(e Entry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var err error
	if t.file != nil {
		var line []byte
		if line, err = json.Marshal(e); err == nil {
			if _, err = t.file.Write(append(line, '\n')); err == nil {
				err = t.file.Sync()
			}
		}
	}
	if err == nil || e.Status != 0 {
		t.keep(e)
	}
	if e.Status != 0 {
		t.log(e)
	}
	return err
}

// Probe says whether the trail can be written, by trying: an empty line is no
// entry.
func (t *Trail) Probe() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return nil
	}
	if _, err := t.file.Write([]byte{'\n'}); err != nil {
		return err
	}
	return t.file.Sync()
}

// keep replaces the entry of the same id.
func (t *Trail) keep(e Entry) {
	if was := t.byID[e.ID]; was != nil {
		*was = e
		return
	}
	if len(t.kept) == trailKept {
		delete(t.byID, t.kept[0].ID)
		t.kept = append(t.kept[:0], t.kept[1:]...)
	}
	t.byID[e.ID] = &e
	t.kept = append(t.kept, &e)
}

// Last are the latest changes, n at most, the newest first.
func (t *Trail) Last(n int) []Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]Entry, 0, min(n, len(t.kept)))
	for i := len(t.kept) - 1; i >= 0 && len(all) < n; i-- {
		all = append(all, *t.kept[i])
	}
	return all
}
