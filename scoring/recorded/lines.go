package recorded

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxItem bounds one line or entry. An exchange with its request body fits; a
// file that is no log at all does not fill the memory.
const maxItem = 16 << 20

// What is wrong with one item, and leaves the next readable.
var (
	errLong   = fmt.Errorf("longer than %d MiB", maxItem>>20)
	errBroken = errors.New("it breaks off")
)

// items cuts a recording into what holds one exchange each.
type items interface {
	// read returns the next item, which holds until the next call; errLong or
	// errBroken in the place of one; io.EOF at the end; or the reader's error.
	read() ([]byte, error)
	number() int // of the item that was read last, from 1
}

// lineReader reads the items of a log.
type lineReader struct {
	r    *bufio.Reader
	n    int
	long []byte // a line that is longer than the reader's buffer
}

func (l *lineReader) number() int { return l.n }

// read returns one line without its end and the space around it.
func (l *lineReader) read() ([]byte, error) {
	l.long = l.long[:0]
	tooLong := false
	for {
		part, err := l.r.ReadSlice('\n')
		if err == io.EOF && len(part) == 0 && len(l.long) == 0 && !tooLong {
			return nil, io.EOF
		}
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return nil, err
		}
		if err == bufio.ErrBufferFull || len(l.long) > 0 || tooLong {
			if tooLong = tooLong || len(l.long)+len(part) > maxItem; tooLong {
				l.long = l.long[:0]
			} else {
				l.long = append(l.long, part...)
			}
			part = l.long
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		l.n++
		if tooLong {
			return nil, errLong
		}
		return bytes.TrimSpace(part), nil
	}
}
