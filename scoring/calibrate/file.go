package calibrate

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/zeebo/xxh3"
)

// A snapshot is a head of 96 bytes (magic, version, when, for which
// identity key), the state, and the checksum of all before it.
const (
	fileMagic   = "wonted\x00C"
	fileVersion = 2
	headSize    = 96
	keyIDSize   = 64
	sumSize     = 8
)

// Meta says for whom a snapshot is.
type Meta struct {
	KeyID string    // names the identity key, at most 64 bytes: slots are of its hashes
	Now   time.Time // when
}

// Encode returns a snapshot, taken beside traffic: some megabytes.
func (p *Peers) Encode(meta Meta) []byte {
	c := &coder{b: make([]byte, 0, 1<<20)}
	head := c.take(headSize)
	copy(head, fileMagic)
	binary.LittleEndian.PutUint32(head[8:], fileVersion)
	binary.LittleEndian.PutUint64(head[16:], uint64(meta.Now.Unix()))
	copy(head[headSize-keyIDSize:], meta.KeyID)
	p.state(c)
	return binary.LittleEndian.AppendUint64(c.b, xxh3.Hash(c.b))
}

// unfit is a snapshot that must not be loaded.
type unfit struct{ reason, text string }

func (e *unfit) Error() string { return e.text }

// Reason is one word, for the name under which the file is set aside.
func (e *unfit) Reason() string { return e.reason }

// Decode returns Peers as Encode wrote them, and when that was. Every error has
// a method Reason: the bytes are torn, foreign, of another version or another key.
func Decode(b []byte, cfg Config, keyID string) (*Peers, time.Time, error) {
	switch {
	case len(b) >= len(fileMagic) && string(b[:len(fileMagic)]) != fileMagic:
		return nil, time.Time{}, &unfit{"foreign", "it is no calibration of wonted's"}
	case len(b) < headSize+sumSize:
		return nil, time.Time{}, &unfit{"torn", "it breaks off"}
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
