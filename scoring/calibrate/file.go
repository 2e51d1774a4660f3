package calibrate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/zeebo/xxh3"
)

// The snapshot is one file: a head of 96 bytes (magic, version, when, for which
// identity key), the state, and the checksum of all before it.
const (
	fileName    = "calibration"
	fileMagic   = "wonted\x00C"
	fileVersion = 1
	headSize    = 96
	keyIDSize   = 64
	sumSize     = 8
)

// Meta says for whom a snapshot is.
type Meta struct {
	KeyID string    // names the identity key, at most 64 bytes: slots are of its hashes
	Now   time.Time // when
}

// Save writes a snapshot into dir, beside traffic. It is written under another
// name, synced, and renamed: at every moment, whatever breaks off, there is the
// old one or the new one. One Save at a time.
func (p *Peers) Save(dir string, meta Meta) error {
	path := filepath.Join(dir, fileName)
	if err := p.write(path+".tmp", meta); err != nil {
		return errors.Join(fmt.Errorf("save calibration to %s: %w; the previous one, if any, stays", dir, err), os.Remove(path+".tmp"))
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return fmt.Errorf("save calibration to %s: %w", dir, err)
	}
	return syncDir(dir)
}

func (p *Peers) write(path string, meta Meta) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(p.encode(meta)); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (p *Peers) encode(meta Meta) []byte {
	c := &coder{b: make([]byte, 0, 1<<20)}
	head := c.take(headSize)
	copy(head, fileMagic)
	binary.LittleEndian.PutUint32(head[8:], fileVersion)
	binary.LittleEndian.PutUint64(head[16:], uint64(meta.Now.Unix()))
	copy(head[headSize-keyIDSize:], meta.KeyID)
	p.state(c)
	return binary.LittleEndian.AppendUint64(c.b, xxh3.Hash(c.b))
}

// unfit is a file that must not be loaded; word is part of the name under which
// it is set aside.
type unfit struct{ word, text string }

func (e *unfit) Error() string { return e.text }

// decode returns Peers as encode wrote them.
func decode(b []byte, cfg Config, keyID string) (*Peers, time.Time, error) {
	switch {
	case len(b) < headSize+sumSize:
		return nil, time.Time{}, &unfit{"torn", "it breaks off"}
	case string(b[:len(fileMagic)]) != fileMagic:
		return nil, time.Time{}, &unfit{"foreign", "it is no calibration of wonted's"}
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != fileVersion {
		return nil, time.Time{}, &unfit{"version", fmt.Sprintf("it has format %d, and this wonted reads %d", v, fileVersion)}
	}
	body := b[:len(b)-sumSize]
	if binary.LittleEndian.Uint64(b[len(body):]) != xxh3.Hash(body) {
		return nil, time.Time{}, &unfit{"torn", "it is damaged"}
	}
	if id := strings.TrimRight(string(b[headSize-keyIDSize:headSize]), "\x00"); id != keyID {
		return nil, time.Time{}, &unfit{"key", fmt.Sprintf("it was made with another identity_key (%q, and this one is %q)", id, keyID)}
	}
	p := New(cfg)
	c := &coder{b: body[headSize:], reading: true}
	p.state(c)
	if c.short || len(c.b) > 0 {
		return nil, time.Time{}, &unfit{"torn", "it is whole and makes no sense"}
	}
	p.restore()
	return p, time.Unix(int64(binary.LittleEndian.Uint64(b[16:])), 0), nil
}

// Report says what Load found, for the log.
type Report struct {
	Saved   time.Time // zero: a cold start
	Renamed string    // what could not be used was set aside under this name
	Reason  string
}

// String says it in sentences.
func (r Report) String() string {
	switch {
	case r.Renamed != "":
		return fmt.Sprintf("The calibration was set aside as %s: %s. Scores are the models' until peers are known again.", r.Renamed, r.Reason)
	case r.Saved.IsZero():
		return "No calibration yet: scores are the models' until peers are known."
	}
	return "Loaded the calibration saved " + r.Saved.UTC().Format(time.RFC3339) + "."
}

// Load returns what Save wrote into dir. A file that is torn, foreign, or made
// with another key is set aside and reported; it is no error.
func Load(dir string, cfg Config, meta Meta) (*Peers, Report, error) {
	path := filepath.Join(dir, fileName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return New(cfg), Report{}, nil
	}
	if err != nil {
		return nil, Report{}, fmt.Errorf("read calibration: %w", err)
	}
	p, saved, err := decode(b, cfg, meta.KeyID)
	if bad, ok := errors.AsType[*unfit](err); ok {
		renamed := fileName + ".bad-" + bad.word
		if err := os.Rename(path, filepath.Join(dir, renamed)); err != nil {
			return nil, Report{}, fmt.Errorf("calibration %s cannot be used (%v), nor set aside: %w", path, bad, err)
		}
		return New(cfg), Report{Renamed: renamed, Reason: bad.text}, nil
	}
	return p, Report{Saved: saved}, nil
}
