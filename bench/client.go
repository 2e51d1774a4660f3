package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long one answer may take. It is far from any that comes; a
// request that it ends is a time-out in the report.
const patience = 30 * time.Second

// answer is what came back of one request.
type answer struct {
	status int
	bytes  int64 // of the body
}

// client sends one request at a time on a kept connection.
type client interface {
	// do sends q and reads the whole answer. An answer without an end has a
	// status and an error.
	do(q *Request) (answer, error)
	close()
}

// http1 is deliberately plain (bytes written, the head of the answer scanned):
// on a shared machine, what the client burns is taken from what is measured.
// With making the request and counting the answer it takes 7 µs of processor
// time, where valyala/fasthttp takes 10 and net/http 30 (16 clients, the
// harness's API, no Envoy between): an Envoy without a filter takes about 60.
type http1 struct {
	address string
	conn    net.Conn
	in      *bufio.Reader
	out     []byte
	until   time.Time // the connection's deadline
}

func newHTTP1(address string) *http1 {
	return &http1{address: address, in: bufio.NewReaderSize(nil, 16<<10), out: make([]byte, 0, 4<<10)}
}

func (c *http1) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func (c *http1) do(q *Request) (answer, error) {
	a, keep, err := c.exchange(q)
	if err != nil || !keep {
		c.close()
	}
	return a, err
}

func (c *http1) exchange(q *Request) (a answer, keep bool, err error) {
	if c.conn == nil {
		if c.conn, err = net.DialTimeout("tcp", c.address, patience); err != nil {
			return a, false, err
		}
		c.in.Reset(c.conn)
		c.until = time.Time{}
	}
	// One deadline serves the requests of a second.
	if now := time.Now(); c.until.Sub(now) < patience {
		c.until = now.Add(patience + time.Second)
		if err := c.conn.SetDeadline(c.until); err != nil {
			return a, false, err
		}
	}
	if _, err := c.conn.Write(c.head(q)); err != nil {
		return a, false, err
	}
	return c.read()
}

func (c *http1) head(q *Request) []byte {
	b := append(append(append(c.out[:0], "GET "...), q.Path...), " HTTP/1.1\r\nhost: "+Host+"\r\n"...)
	for _, h := range q.Headers {
		b = append(append(append(append(b, h.Name...), ": "...), h.Value...), "\r\n"...)
	}
	c.out = append(b, "\r\n"...)
	return c.out
}

var (
	contentLength    = []byte("content-length")
	transferEncoding = []byte("transfer-encoding")
	connection       = []byte("connection")
)

// read reads one answer, with a length or in chunks.
func (c *http1) read() (a answer, keep bool, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return a, false, err
	}
	if len(line) < len("HTTP/1.1 200") || string(line[:9]) != "HTTP/1.1 " {
		return a, false, fmt.Errorf("answered %q", line)
	}
	if a.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return a, false, fmt.Errorf("answered %q", line)
	}
	length, chunked, keep := 0, false, true
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return a, false, err
		}
		if len(line) <= 2 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, contentLength):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return a, false, fmt.Errorf("a content-length of %q", value)
			}
		case bytes.EqualFold(name, transferEncoding):
			chunked = true
		case bytes.EqualFold(name, connection):
			keep = !bytes.EqualFold(value, []byte("close"))
		}
	}
	for chunked {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return a, false, err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(line)), 16, 32)
		if err != nil {
			return a, false, fmt.Errorf("a chunk of size %q", line)
		}
		n, err := c.in.Discard(int(size) + 2)
		a.bytes += int64(min(n, int(size)))
		if err != nil {
			return a, false, err
		}
		chunked = size > 0
	}
	n, err := c.in.Discard(length)
	a.bytes += int64(n)
	return a, keep, err
}

// kind names what went wrong, for the report.
func kind(err error) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	default:
		return err.Error()
	}
}
