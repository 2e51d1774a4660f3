package recorded

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Format is how a recording is written.
type Format string

// The formats. Auto is decided by the first line that can be read.
const (
	Auto   Format = "auto"
	Wonted Format = "wonted" // JSONL, version 1
	Envoy  Format = "envoy"  // Envoy's JSON access log
)

// ParseFormat reads the name of a format.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case Auto, Wonted, Envoy:
		return f, nil
	}
	return "", fmt.Errorf("unknown format %q; allowed are auto, wonted and envoy", s)
}

// maxLine bounds one line. An exchange with its request body fits; a file that
// is no log at all does not fill the memory.
const maxLine = 16 << 20

// Decoder reads exchanges, one a line.
type Decoder struct {
	r      *bufio.Reader
	format Format
	line   int
	none   int    // lines without a request
	long   []byte // a line that is longer than the reader's buffer
}

// NewDecoder reads r.
func NewDecoder(r io.Reader, format Format) *Decoder {
	return &Decoder{r: bufio.NewReaderSize(r, 64<<10), format: format}
}

// LineError is a line that could not be read. The next one may be.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// Line is the number of the line that Next has read last, from 1.
func (d *Decoder) Line() int { return d.line }

// Format is the format, once a line has decided it.
func (d *Decoder) Format() Format { return d.format }

// WithoutRequest is how many lines were skipped because Envoy answered itself
// what was no request to it.
func (d *Decoder) WithoutRequest() int { return d.none }

// Next reads the next exchange. A *LineError leaves the Decoder usable; io.EOF
// is the end; anything else is the reader's own error. Empty lines are skipped,
// and so are those without a request.
func (d *Decoder) Next() (*Exchange, error) {
	for {
		line, err := d.read()
		if err != nil && !isLine(err) {
			return nil, err
		}
		if err == nil && len(line) == 0 {
			continue
		}
		var r *Exchange
		if err == nil {
			r, err = d.parse(line)
		}
		if err == errNoRequest {
			d.none++
			continue
		}
		if err != nil {
			return nil, &LineError{d.line, err}
		}
		return r, nil
	}
}

var errLong = fmt.Errorf("longer than %d MiB", maxLine>>20)

func isLine(err error) bool { return errors.Is(err, errLong) }

// read returns one line without its end. It holds until the next call.
func (d *Decoder) read() ([]byte, error) {
	d.long = d.long[:0]
	tooLong := false
	for {
		part, err := d.r.ReadSlice('\n')
		if err == io.EOF && len(part) == 0 && len(d.long) == 0 && !tooLong {
			return nil, io.EOF
		}
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return nil, err
		}
		if err == bufio.ErrBufferFull || len(d.long) > 0 || tooLong {
			if tooLong = tooLong || len(d.long)+len(part) > maxLine; tooLong {
				d.long = d.long[:0]
			} else {
				d.long = append(d.long, part...)
			}
			part = d.long
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		d.line++
		if tooLong {
			return nil, errLong
		}
		if d.line == 1 {
			part = bytes.TrimPrefix(part, []byte("\xef\xbb\xbf"))
		}
		return bytes.TrimSpace(part), nil
	}
}

// parse reads one line in the Decoder's format, or finds out which it is.
func (d *Decoder) parse(line []byte) (*Exchange, error) {
	if line[0] != '{' {
		return nil, errors.New("no JSON object")
	}
	format := d.format
	if format == Auto {
		var own struct {
			V json.RawMessage `json:"v"`
		}
		if err := json.Unmarshal(line, &own); err != nil {
			return nil, plain(err)
		}
		if format = Envoy; own.V != nil {
			format = Wonted
		}
	}
	parse := parseWonted
	if format == Envoy {
		parse = parseEnvoy
	}
	r, err := parse(line)
	if err == nil {
		d.format = format
	}
	return r, err
}
