package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/wonted-project/wonted/scoring/recorded"
)

// tape is the recordings of one replay, merged by time: logs of several Envoys,
// or of several days in whatever order they are named.
type tape struct {
	files []*tapeFile
	idle  func()       // called while there is nothing more to read of what is followed
	total int64        // bytes of all files as they are stored; 0: not known
	read  atomic.Int64 // of them
}

// tapeFile is one recording, with its next exchange read ahead.
type tapeFile struct {
	name    string
	decoder *recorded.Decoder
	close   []func()
	head    *recorded.Exchange // nil at the end
	good    int
	bad     int
	first   []error // the first bad lines
	broken  error   // why it was not read to its end

	refused int   // that were read and could not be judged; the player's
	refusal error // the first such
}

// moment is one exchange with where it was found.
type moment struct {
	exchange *recorded.Exchange
	file     *tapeFile
	line     int
	size     int // in bytes, of the line
}

// shownBad is how many bad lines of a file are shown; the others are counted.
const shownBad = 3

// openTape opens all files. Where one is followed, its end is waited for until
// ctx is done.
func openTape(ctx context.Context, names []string, format recorded.Format, follow bool, stdin io.Reader) (*tape, error) {
	t := &tape{}
	for _, name := range names {
		open := t.open
		if follow {
			open = func(name string, stdin io.Reader) (*tapeFile, io.Reader, error) { return t.follow(ctx, name) }
		}
		f, r, err := open(name, stdin)
		if err != nil {
			t.close()
			return nil, err
		}
		t.files = append(t.files, f)
		f.decoder = recorded.NewDecoder(r, format)
		f.advance()
	}
	return t, nil
}

// open opens a file, or standard input for "-".
func (t *tape) open(name string, stdin io.Reader) (*tapeFile, io.Reader, error) {
	f := &tapeFile{name: name}
	r := stdin
	if name == "-" {
		f.name = "standard input"
	} else {
		file, err := readable(name)
		if err != nil {
			return nil, nil, err
		}
		r, f.close = file, append(f.close, func() { file.Close() })
	}
	t.measure(r)
	r, closing, err := unzipped(counted{r, &t.read})
	f.close = append(f.close, closing)
	if err != nil {
		r, f.broken = strings.NewReader(""), err
	}
	return f, r, nil
}

// measure adds a file's size to the total, which is not known any more where
// one of the files has none.
func (t *tape) measure(r io.Reader) {
	size := int64(-1)
	if file, ok := r.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
	}
	if size < 0 || t.total < 0 {
		t.total = -1
		return
	}
	t.total += size
}

// counted counts what is read.
type counted struct {
	io.Reader
	n *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n.Add(int64(n))
	return n, err
}

func (t *tape) close() {
	for _, f := range t.files {
		for _, c := range f.close {
			c()
		}
	}
}

// earliest is the file with the earliest exchange that is not yet taken; nil
// after the last.
func (t *tape) earliest() (first *tapeFile) {
	for _, f := range t.files {
		if f.head != nil && (first == nil || f.head.Time.Before(first.head.Time)) {
			first = f
		}
	}
	return first
}

// take returns the file's next exchange; advance must follow.
func (f *tapeFile) take() moment {
	m := moment{f.head, f, f.decoder.Line(), f.decoder.Size()}
	f.head = nil
	return m
}

// advance reads on to the next exchange that can be read. What cannot be read
// any further, as a compressed file that breaks off, ends here: what was read of
// it counts.
func (f *tapeFile) advance() {
	for f.head = nil; ; {
		r, err := f.decoder.Next()
		if err == io.EOF {
			return
		}
		if bad, ok := errors.AsType[*recorded.LineError](err); ok {
			if f.bad++; len(f.first) < shownBad {
				f.first = append(f.first, bad)
			}
			continue
		}
		if err != nil {
			f.broken = err
			return
		}
		f.head = r
		f.good++
		return
	}
}
