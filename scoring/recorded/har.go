package recorded

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// entryReader reads the items of a HAR (HTTP Archive 1.2): one JSON document, with
// {"log":{"entries":[…]}} somewhere in it. It is walked, never held: at most one
// entry is in memory, and it without texts that are longer than maxText, so that
// a page with videos in it is read as a page without.
type entryReader struct {
	r     *bufio.Reader
	n     int
	open  bool // inside the list
	done  bool
	entry []byte
}

const (
	maxText = 1 << 20
	maxKey  = 256
)

var errNoHAR = errors.New(`no HAR, which has a list "entries" in an object "log"`)

func (h *entryReader) number() int { return h.n }

// read returns the next entry.
func (h *entryReader) read() ([]byte, error) {
	if h.done {
		return nil, io.EOF
	}
	b, err := h.next()
	if err == nil {
		return b, nil
	}
	if err == errLong {
		return nil, err
	}
	h.done = true
	switch err {
	case io.EOF:
		err = errBroken
		h.n++
	case errNoHAR:
		h.n++
	case errEnd:
		err = io.EOF
	}
	return nil, err
}

var errEnd = errors.New("the list of entries ends")

func (h *entryReader) next() ([]byte, error) {
	if !h.open {
		for _, name := range []string{"log", "entries"} {
			if err := h.member(name); err != nil {
				return nil, err
			}
		}
		if c, err := h.token(); err != nil || c != '[' {
			return nil, firstOf(err, errNoHAR)
		}
		h.open = true
	}
	c, err := h.token()
	for err == nil && c == ',' {
		c, err = h.token()
	}
	if err != nil {
		return nil, err
	}
	if c == ']' {
		return nil, errEnd
	}
	h.entry = h.entry[:0]
	if err := h.value(c, true); err != nil {
		return nil, err
	}
	h.n++
	if len(h.entry) >= maxItem {
		return nil, errLong
	}
	return h.entry, nil
}

func firstOf(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// member goes into the object that comes next, up to the value of a member.
func (h *entryReader) member(name string) error {
	if c, err := h.token(); err != nil || c != '{' {
		return firstOf(err, errNoHAR)
	}
	for {
		c, err := h.token()
		if err != nil {
			return err
		}
		switch c {
		case ',', ':':
			continue
		case '"':
		default: // the object's end, or no object
			return errNoHAR
		}
		h.entry = h.entry[:0]
		if err := h.text(maxKey, true); err != nil {
			return err
		}
		if c, err = h.token(); err != nil || c != ':' {
			return firstOf(err, errNoHAR)
		}
		if string(h.entry) == name+`"` {
			return nil
		}
		if c, err = h.token(); err != nil {
			return err
		}
		if err := h.value(c, false); err != nil {
			return err
		}
	}
}

// token is the next byte that is no space.
func (h *entryReader) token() (byte, error) {
	for {
		c, err := h.r.ReadByte()
		if err != nil || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c, err
		}
	}
}

// value walks over the value that begins with c, and keeps it if it is asked to.
// What follows a number or a word directly belongs to whoever comes next.
func (h *entryReader) value(c byte, keep bool) error {
	depth := 0
	for {
		if keep {
			h.keep(c)
		}
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			if err := h.text(maxText, keep); err != nil {
				return err
			}
		}
		if depth <= 0 && (c == '}' || c == ']' || c == '"') {
			return nil
		}
		if depth == 0 { // in a number or a word
			next, err := h.r.Peek(1)
			if err != nil {
				return err
			}
			if bytes.IndexByte([]byte(",]} \t\r\n"), next[0]) >= 0 {
				return nil
			}
		}
		var err error
		if c, err = h.r.ReadByte(); err != nil {
			return err
		}
	}
}

func (h *entryReader) keep(c byte) {
	if len(h.entry) < maxItem {
		h.entry = append(h.entry, c)
	}
}

// text walks over a string whose first quote has been read, and keeps it with
// its last quote; of one that is longer than max, only that quote.
func (h *entryReader) text(max int, keep bool) error {
	start, kept := len(h.entry), keep
	for {
		c, err := h.r.ReadByte()
		if err != nil {
			return err
		}
		if keep = keep && len(h.entry)-start < max; keep {
			h.keep(c)
		}
		switch c {
		case '"':
			if kept && !keep {
				h.entry = append(h.entry[:start], c)
			}
			return nil
		case '\\':
			if c, err = h.r.ReadByte(); err != nil {
				return err
			}
			if keep {
				h.keep(c)
			}
		}
	}
}

// harBegins says whether a document begins as a HAR does: its first member is
// the log.
func harBegins(start []byte) bool {
	rest, ok := bytes.CutPrefix(start, []byte{'{'})
	for _, next := range []string{`"log"`, ":", "{"} {
		if !ok {
			return false
		}
		rest, ok = bytes.CutPrefix(bytes.TrimSpace(rest), []byte(next))
	}
	return ok
}
