package recorded

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
)

// File is a recording that is appended to. At a size it is renamed to NAME.1
// and begun anew, NAME.1 to NAME.2, and so on up to a number that is kept: its
// space is bounded. Only the owner can read it. One goroutine owns a File.
type File struct {
	name string
	max  int64
	keep int

	f    *os.File // nil: to be opened by the next Write
	size int64
	torn bool // the last line has no end
}

// OpenFile opens or makes a recording. max is the size, in bytes, that a file
// does not exceed unless a single Write does; keep, at least 1, is how many full
// ones stay.
func OpenFile(name string, max int64, keep int) (*File, error) {
	w := &File{name: name, max: max, keep: keep}
	return w, w.open()
}

func (w *File) open() error {
	// Asked before it is opened: opening a pipe would wait for its reader.
	if info, err := os.Stat(w.name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", w.name)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(w.name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := w.take(f); err != nil {
		f.Close()
		return err
	}
	w.f = f
	return nil
}

// take makes sure of what was there: others may read it no longer, and what a
// crash has left of a line does not spoil the next one.
func (w *File) take(f *os.File) error {
	if err := f.Chmod(0o600); err != nil {
		return err
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	w.size, w.torn = end, false
	if end > 0 {
		var last [1]byte
		if _, err := f.ReadAt(last[:], end-1); err != nil {
			return err
		}
		w.torn = last[0] != '\n'
	}
	return nil
}

// Write appends complete lines, all or none as far as the disk lets it. After
// an error the next Write tries again.
func (w *File) Write(lines []byte) (int, error) {
	if w.f == nil {
		if err := w.open(); err != nil {
			return 0, err
		}
	}
	if w.size > 0 && w.size+int64(len(lines)) > w.max {
		if err := w.rotate(); err != nil {
			return 0, err
		}
	}
	if w.torn {
		if _, err := w.f.Write([]byte{'\n'}); err != nil {
			return 0, err
		}
		w.torn = false
		w.size++
	}
	n, err := w.f.Write(lines)
	if err != nil {
		if n > 0 {
			w.takeBack(n)
		}
		return 0, err
	}
	w.size += int64(n)
	return n, nil
}

// takeBack cuts off what was written of lines that did not fit: half a line is
// no line. It stays if somebody else has appended, as a successor does.
func (w *File) takeBack(n int) {
	info, err := w.f.Stat()
	if err == nil && info.Size() == w.size+int64(n) && w.f.Truncate(w.size) == nil {
		return
	}
	w.size += int64(n)
	w.torn = true
}

// rotate renames the full file. Where that fails nothing more is written, since
// the file would grow without bound.
func (w *File) rotate() error {
	for i := w.keep - 1; i >= 0; i-- {
		if err := os.Rename(w.numbered(i), w.numbered(i+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	err := w.f.Close()
	w.f = nil
	return errors.Join(err, w.open())
}

func (w *File) numbered(i int) string {
	if i == 0 {
		return w.name
	}
	return w.name + "." + strconv.Itoa(i)
}

// Sync returns when the disk has what was written.
func (w *File) Sync() error {
	if w.f == nil {
		return nil
	}
	return w.f.Sync()
}

// Close closes the file.
func (w *File) Close() error {
	if w.f == nil {
		return nil
	}
	err := w.f.Close()
	w.f = nil
	return err
}
