package main

import (
	"errors"
	"io"
	"strings"

	"github.com/wonted-project/wonted/scoring/recorded"
)

// tape is the recordings of one replay, merged by time: logs of several Envoys,
// or of several days in whatever order they are named.
type tape struct{ files []*tapeFile }

// tapeFile is one recording, with its next exchange read ahead.
type tapeFile struct {
	name    string
	decoder *recorded.Decoder
	close   []func()
	head    *recorded.Exchange // nil at the end
	line    int                // of head
	good    int
	bad     int
	first   []error // the first bad lines
	broken  error   // why it was not read to its end
}

// moment is one exchange with where it was found.
type moment struct {
	exchange *recorded.Exchange
	file     *tapeFile
	line     int
}

// shownBad is how many bad lines of a file are shown; the others are counted.
const shownBad = 3

func openTape(names []string, format recorded.Format, stdin io.Reader) (*tape, error) {
	t := &tape{}
	for _, name := range names {
		f, err := openTapeFile(name, format, stdin)
		if err != nil {
			t.close()
			return nil, err
		}
		t.files = append(t.files, f)
	}
	return t, nil
}

func openTapeFile(name string, format recorded.Format, stdin io.Reader) (*tapeFile, error) {
	f := &tapeFile{name: name}
	r := stdin
	if name == "-" {
		f.name = "standard input"
	} else {
		file, err := readable(name)
		if err != nil {
			return nil, err
		}
		r, f.close = file, append(f.close, func() { file.Close() })
	}
	r, closing, err := unzipped(r)
	f.close = append(f.close, closing)
	if err != nil {
		r, f.broken = strings.NewReader(""), err
	}
	f.decoder = recorded.NewDecoder(r, format)
	f.advance()
	return f, nil
}

func (t *tape) close() {
	for _, f := range t.files {
		for _, c := range f.close {
			c()
		}
	}
}

// next is the earliest exchange that is not yet played; io.EOF after the last.
func (t *tape) next() (moment, error) {
	var first *tapeFile
	for _, f := range t.files {
		if f.head != nil && (first == nil || f.head.Time.Before(first.head.Time)) {
			first = f
		}
	}
	if first == nil {
		return moment{}, io.EOF
	}
	m := moment{first.head, first, first.line}
	first.advance()
	return m, nil
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
			f.reject(bad)
			continue
		}
		if err != nil {
			f.broken = err
			return
		}
		f.head, f.line = r, f.decoder.Line()
		f.good++
		return
	}
}

// reject counts a line that cannot be used.
func (f *tapeFile) reject(bad *recorded.LineError) {
	if f.bad++; len(f.first) < shownBad {
		f.first = append(f.first, bad)
	}
}
