package profile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/zeebo/xxh3"
)

// The snapshot file, as the package comment describes it.
const (
	formatMagic   = "wonted\x00P"
	formatVersion = 1
	headerSize    = 96
	keyIDSize     = 64
	blockRecords  = rangeStep
)

// badSnapshot is a file that must not be loaded; Reason is one word, part of
// the name under which it is set aside.
type badSnapshot struct{ reason, text string }

func (e *badSnapshot) Error() string { return e.text }

func bad(reason, format string, args ...any) error {
	return &badSnapshot{reason, fmt.Sprintf(format, args...)}
}

// The reasons.
const (
	reasonTorn    = "torn"    // truncated, damaged, or part of it missing
	reasonForeign = "foreign" // no snapshot of ours at all
	reasonVersion = "version" // of another wonted
	reasonKey     = "key"     // of other identities
)

// encoder writes a snapshot. Every checksum is seeded with the one before, so
// a file is whole or it is not: blocks cannot be lost, doubled or swapped.
type encoder struct {
	w     io.Writer
	sum   uint64
	count uint64
	buf   []byte
}

func newEncoder(w io.Writer, meta Meta) (*encoder, error) {
	if len(meta.KeyID) > keyIDSize {
		return nil, fmt.Errorf("key id of %d bytes: a snapshot has room for %d", len(meta.KeyID), keyIDSize)
	}
	e := &encoder{w: w, buf: make([]byte, 0, 8+blockRecords*RecordSize+8)}
	b := append(e.buf, formatMagic...)
	b = binary.LittleEndian.AppendUint32(b, formatVersion)
	b = binary.LittleEndian.AppendUint16(b, Version)
	b = binary.LittleEndian.AppendUint16(b, RecordSize)
	b = binary.LittleEndian.AppendUint64(b, uint64(meta.Now.Unix()))
	b = append(b, meta.KeyID...)
	b = append(b, make([]byte, keyIDSize-len(meta.KeyID))...)
	return e, e.emit(b)
}

// block writes the records in b, at most blockRecords and at least one.
func (e *encoder) block(records []byte) error {
	n := len(records) / RecordSize
	e.count += uint64(n)
	b := binary.LittleEndian.AppendUint64(e.buf[:0], uint64(n))
	return e.emit(append(b, records...))
}

// end writes the trailer: a block of none, and how many there were.
func (e *encoder) end() error {
	b := binary.LittleEndian.AppendUint64(e.buf[:0], 0)
	return e.emit(binary.LittleEndian.AppendUint64(b, e.count))
}

func (e *encoder) emit(b []byte) error {
	e.sum = xxh3.HashSeed(b, e.sum)
	_, err := e.w.Write(binary.LittleEndian.AppendUint64(b, e.sum))
	return err
}

// decoder reads what encoder wrote. Its errors are *badSnapshot, or the
// reader's where the medium failed.
type decoder struct {
	r      io.Reader
	sum    uint64
	count  uint64
	saved  time.Time
	layout uint16 // of the records
	buf    []byte
}

func newDecoder(r io.Reader, meta Meta) (*decoder, error) {
	d := &decoder{r: r, buf: make([]byte, 8+blockRecords*RecordSize+8)}
	magic := d.buf[:len(formatMagic)]
	if err := d.read(magic); err != nil {
		return nil, err
	}
	if string(magic) != formatMagic {
		return nil, bad(reasonForeign, "it is no snapshot of wonted's")
	}
	// The version comes before the checksum: another version may sum otherwise.
	if err := d.read(d.buf[8:12]); err != nil {
		return nil, err
	}
	if v := binary.LittleEndian.Uint32(d.buf[8:]); v != formatVersion {
		return nil, bad(reasonVersion, "it has file format %d, and this wonted reads %d; the wonted that made it can read it", v, formatVersion)
	}
	if err := d.read(d.buf[12:headerSize]); err != nil {
		return nil, err
	}
	if err := d.check(headerSize - 8); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint16(d.buf[14:])
	if d.layout = binary.LittleEndian.Uint16(d.buf[12:]); d.layout < 1 || d.layout > Version || size != RecordSize {
		return nil, bad(reasonVersion, "its records have layout %d of %d bytes, and this wonted reads layouts 1 to %d of %d; the wonted that made it can read it", d.layout, size, Version, RecordSize)
	}
	d.saved = time.Unix(int64(binary.LittleEndian.Uint64(d.buf[16:])), 0)
	if id := string(bytes.TrimRight(d.buf[24:24+keyIDSize], "\x00")); id != meta.KeyID {
		return nil, bad(reasonKey, "it was made with another identity_key (%q, and this one is %q), so its profiles fit nobody", id, meta.KeyID)
	}
	return d, nil
}

// next returns the bytes of the next block's records, valid until the next
// call, or io.EOF after a trailer that says all is there.
func (d *decoder) next() ([]byte, error) {
	if err := d.read(d.buf[:8]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(d.buf)
	switch {
	case n > blockRecords:
		return nil, bad(reasonTorn, "it is damaged after %d records", d.count)
	case n > 0:
		size := 8 + int(n)*RecordSize
		if err := d.read(d.buf[8 : size+8]); err != nil {
			return nil, err
		}
		if err := d.check(size); err != nil {
			return nil, err
		}
		d.count += n
		return d.buf[8:size], nil
	}
	if err := d.read(d.buf[8:24]); err != nil {
		return nil, err
	}
	if err := d.check(16); err != nil {
		return nil, err
	}
	if total := binary.LittleEndian.Uint64(d.buf[8:]); total != d.count {
		return nil, bad(reasonTorn, "it holds %d records and should hold %d", d.count, total)
	}
	if n, _ := io.ReadFull(d.r, d.buf[:1]); n != 0 {
		return nil, bad(reasonTorn, "something follows its end")
	}
	return nil, io.EOF
}

func (d *decoder) check(n int) error {
	d.sum = xxh3.HashSeed(d.buf[:n], d.sum)
	if binary.LittleEndian.Uint64(d.buf[n:]) != d.sum {
		return bad(reasonTorn, "it is damaged after %d records", d.count)
	}
	return nil
}

func (d *decoder) read(b []byte) error {
	_, err := io.ReadFull(d.r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return bad(reasonTorn, "it breaks off after %d records", d.count)
	}
	return err
}
