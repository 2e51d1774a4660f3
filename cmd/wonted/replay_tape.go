package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/wonted-project/wonted/scoring/recorded"
)

// tape is the recordings of one replay, merged by time: logs of several Envoys,
// or of several days in whatever order they are named.
type tape struct{ files []*tapeFile }

// tapeFile is one recording, with its next exchange read ahead.
type tapeFile struct {
	name    string
	decoder *recorded.Decoder
	close   func() error
	head    *recorded.Exchange // nil at the end
	line    int                // of head
	good    int
	bad     int
	first   []error // the first bad lines
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
		f := &tapeFile{name: name, close: func() error { return nil }}
		r := stdin
		if name == "-" {
			f.name = "standard input"
		} else {
			file, err := readable(name)
			if err != nil {
				t.close()
				return nil, err
			}
			r, f.close = file, file.Close
		}
		t.files = append(t.files, f)
		r, err := unzipped(r)
		if err == nil {
			f.decoder = recorded.NewDecoder(r, format)
			err = f.advance()
		}
		if err != nil {
			t.close()
			return nil, fmt.Errorf("replay: read %s: %w", f.name, err)
		}
	}
	return t, nil
}

// unzipped takes compression off, as rotated logs have it.
func unzipped(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	if magic, _ := b.Peek(2); string(magic) != "\x1f\x8b" {
		return b, nil
	}
	return gzip.NewReader(b)
}

func (t *tape) close() {
	for _, f := range t.files {
		f.close()
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
	if err := first.advance(); err != nil {
		return moment{}, fmt.Errorf("replay: read %s: %w", first.name, err)
	}
	return m, nil
}

// advance reads on to the next exchange that can be read.
func (f *tapeFile) advance() error {
	for f.head = nil; ; {
		r, err := f.decoder.Next()
		if err == io.EOF {
			return nil
		}
		if bad, ok := errors.AsType[*recorded.LineError](err); ok {
			f.reject(bad.Line, bad.Err)
			continue
		}
		if err != nil {
			return err
		}
		f.head, f.line = r, f.decoder.Line()
		f.good++
		return nil
	}
}

// reject counts a line that cannot be used.
func (f *tapeFile) reject(line int, err error) {
	if f.bad++; len(f.first) < shownBad {
		f.first = append(f.first, &recorded.LineError{Line: line, Err: err})
	}
}

// label names a file where there are several.
func (t *tape) label(f *tapeFile) string {
	if len(t.files) == 1 {
		return ""
	}
	return f.name
}

// complain tells about what could not be read.
func (t *tape) complain(w io.Writer) {
	for _, f := range t.files {
		for _, err := range f.first {
			fmt.Fprintf(w, "%s: %v\n", f.name, err)
		}
		if more := f.bad - len(f.first); more > 0 {
			fmt.Fprintf(w, "%s: and %s that cannot be read, of %s\n", f.name, plural(more, "more line"), grouped(f.good+f.bad))
		}
	}
}

// withoutRequest is how many lines were skipped because Envoy had answered
// itself what was no request to it.
func (t *tape) withoutRequest() (n int) {
	for _, f := range t.files {
		n += f.decoder.WithoutRequest()
	}
	return n
}

// log says whether an access log of Envoy is among the files.
func (t *tape) log() bool {
	return slices.ContainsFunc(t.files, func(f *tapeFile) bool { return f.decoder.Format() == recorded.Envoy })
}

// nothing is the error of a replay without a single exchange.
func (t *tape) nothing() error {
	bad := 0
	for _, f := range t.files {
		bad += f.bad
	}
	what := t.files[0].name
	if len(t.files) > 1 {
		what = fmt.Sprintf("%d files", len(t.files))
	}
	if none := t.withoutRequest(); bad == 0 && none > 0 {
		return advise(fmt.Errorf("replay: %s: no exchange in %s, only what Envoy answered before it had a request", what, plural(none, "line")),
			"do clients speak HTTP to this listener, without TLS where it has none?")
	}
	if bad == 0 {
		return advise(fmt.Errorf("replay: %s: empty", what), "is this the log that Envoy writes to?")
	}
	return advise(fmt.Errorf("replay: %s: nothing can be read of %s", what, plural(bad, "line")),
		"one JSON object a line is read: wonted's recordings and Envoy's JSON access logs (wonted envoy config writes such a log)")
}
