package recorded

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// Decoder reads exchanges, one a line, or one an entry of a HAR.
type Decoder struct {
	r      *bufio.Reader
	items  items // nil until the first Next
	format Format
	seems  Format // by how it begins, whatever it was said to be; "": nothing known
	none   int    // items without a request
	size   int    // of the item that was read last
}

// NewDecoder reads r.
func NewDecoder(r io.Reader, format Format) *Decoder {
	return &Decoder{r: bufio.NewReaderSize(r, 64<<10), format: format}
}

// LineError is a line that could not be read. The next one may be.
type LineError struct {
	Line  int  // from 1
	Entry bool // it is an entry of a HAR
	Err   error
}

func (e *LineError) Error() string {
	if e.Entry {
		return fmt.Sprintf("entry %d: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("line %d: %v", e.Line, e.Err)
}

func (e *LineError) Unwrap() error { return e.Err }

// Line is the number of the line or entry that Next has read last, from 1.
func (d *Decoder) Line() int {
	if d.items == nil {
		return 0
	}
	return d.items.number()
}

// Size is how many bytes that line or entry has.
func (d *Decoder) Size() int { return d.size }

// Format is the format, once an exchange has decided it.
func (d *Decoder) Format() Format { return d.format }

// Seems is the format that the recording seems to have by how it begins, which
// may not be the one that it is read as; "" where it is like none.
func (d *Decoder) Seems() Format { return d.seems }

// WithoutRequest is how many lines were skipped because they are about no
// request: a server has answered itself what it could not read as one, or a
// browser has asked nobody.
func (d *Decoder) WithoutRequest() int { return d.none }

// Next reads the next exchange. A *LineError leaves the Decoder usable; io.EOF
// is the end; anything else is the reader's own error. Empty lines are skipped,
// and so are those without a request.
func (d *Decoder) Next() (*Exchange, error) {
	if d.items == nil {
		d.begin()
	}
	for {
		item, err := d.items.read()
		d.size = len(item)
		if err == nil && len(item) == 0 {
			continue
		}
		var r *Exchange
		switch err {
		case nil:
			r, err = d.parse(item)
		case errLong, errBroken, errNoHAR:
		default:
			return nil, err
		}
		if err == errNoRequest {
			d.none++
			continue
		}
		if err != nil {
			return nil, &LineError{d.Line(), d.format == HAR, err}
		}
		return r, nil
	}
}

// begin looks at how the recording begins, and decides how it is cut.
func (d *Decoder) begin() {
	d.r.Peek(1) // what has come by now: more may be long in coming
	start, _ := d.r.Peek(d.r.Buffered())
	if bytes.HasPrefix(start, byteOrderMark) {
		d.r.Discard(len(byteOrderMark))
		start = start[len(byteOrderMark):]
	}
	d.seems = guess(start)
	if d.format == Auto && d.seems == HAR {
		d.format = HAR
	}
	if d.format == HAR {
		d.items = &entryReader{r: d.r}
	} else {
		d.items = &lineReader{r: d.r}
	}
}

// parse reads one item in the Decoder's format, or finds out which it is.
func (d *Decoder) parse(item []byte) (*Exchange, error) {
	format := d.format
	if format == Auto {
		if format = guessLine(item); format == "" {
			return nil, errNoFormat
		}
	}
	r, err := parsers[format](item)
	if err == nil {
		d.format = format
	}
	return r, err
}

var errNoFormat = errors.New("neither a JSON object nor a line of an access log")
