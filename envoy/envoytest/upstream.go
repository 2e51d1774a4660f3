package envoytest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// MarkHeader names a request for [Upstream.Seen]: a test puts its own mark on
// what it sends and asks later what of it arrived.
const MarkHeader = "x-mark"

// Upstream is the protected API. The query of a request says what it answers:
//
//	records=N    a JSON array of N records, each about 30 bytes
//	ndjson=N     N records, one a line
//	bytes=N      N bytes of text, as fast as they are taken; of what follows only declare applies
//	declare=1    with content-length
//	status=N     this status instead of 200
//	flush=N      a flush (chunk) every N records
//	pause=D      D after each flush
//	abort=N      break the connection after N records; 0: before the headers
//	wait=D       nothing for D, then the answer
//	header=N:V   a response header; may be repeated
//
// The zero query answers "ok".
type Upstream struct {
	addr string

	mu   sync.Mutex
	seen map[string][]http.Header
	gone map[string]int // requests whose client went away while they were answered
}

// StartUpstream serves until the test ends.
func StartUpstream(t testing.TB) *Upstream {
	t.Helper()
	u := &Upstream{seen: map[string][]http.Header{}, gone: map[string]int{}}
	u.addr = Serve(t, u)
	return u
}

// Serve serves a handler of the test's own as HTTP/1.1 and as HTTP/2 without
// TLS on a free port until the test ends, and returns host:port.
func Serve(t testing.TB, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

// Address is host:port.
func (u *Upstream) Address() string { return u.addr }

// Seen returns the headers of the requests that arrived with this mark.
func (u *Upstream) Seen(mark string) []http.Header {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]http.Header(nil), u.seen[mark]...)
}

// Gone counts the requests with this mark that were cancelled from the other
// side while they were being answered.
func (u *Upstream) Gone(mark string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.gone[mark]
}

func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mark := r.Header.Get(MarkHeader)
	u.mu.Lock()
	u.seen[mark] = append(u.seen[mark], r.Header.Clone())
	u.mu.Unlock()

	script := r.URL.Query()
	if d, err := time.ParseDuration(script.Get("wait")); err == nil {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
		}
	}
	for _, line := range script["header"] {
		name, value, _ := strings.Cut(line, ":")
		w.Header().Add(name, value)
	}
	if script.Get("abort") == "0" {
		panic(http.ErrAbortHandler)
	}
	send(w, r, script)
	if r.Context().Err() != nil {
		u.mu.Lock()
		u.gone[mark]++
		u.mu.Unlock()
	}
}

// Records counts the complete records in a body, or in what arrived of it.
// Every record holds the look of its own end in a string, for those who count
// carelessly.
func Records(body []byte) int {
	return bytes.Count(body, []byte(`"}`)) - bytes.Count(body, []byte(`\"}`))
}

func send(w http.ResponseWriter, r *http.Request, script url.Values) {
	count := func(name string) int { n, _ := strconv.Atoi(script.Get(name)); return n }
	first, separator, last := "", "", ""
	records, record := 0, func(i int) string { return fmt.Sprintf(`{"id":%d,"name":"[{\"x\"},%d"}`, i, i) }
	switch {
	case script.Has("records"):
		w.Header().Set("content-type", "application/json")
		records, first, separator, last = count("records"), "[", ",", "]"
	case script.Has("ndjson"):
		w.Header().Set("content-type", "application/x-ndjson")
		records, separator, last = count("ndjson"), "\n", "\n"
	case script.Has("bytes"):
		sendBytes(w, count("bytes"), script.Has("declare"))
		return
	default:
		w.Header().Set("content-type", "text/plain")
		records, record = 1, func(int) string { return "ok" }
	}
	if script.Has("declare") {
		length := len(first) + len(last) + max(0, records-1)*len(separator)
		for i := range records {
			length += len(record(i))
		}
		w.Header().Set("content-length", strconv.Itoa(length))
	}
	w.WriteHeader(max(count("status"), http.StatusOK))

	flush, abort := count("flush"), count("abort")
	pause, _ := time.ParseDuration(script.Get("pause"))
	text := []byte(first)
	emit := func() bool {
		_, err := w.Write(text)
		text = text[:0]
		if err == nil && flush > 0 {
			_ = http.NewResponseController(w).Flush()
		}
		return err == nil && r.Context().Err() == nil
	}
	for i := range records {
		if i > 0 {
			text = append(text, separator...)
		}
		text = append(text, record(i)...)
		if abort > 0 && i+1 == abort {
			emit()
			panic(http.ErrAbortHandler)
		}
		if (flush > 0 && (i+1)%flush == 0) || len(text) > 32<<10 {
			if !emit() {
				return
			}
			time.Sleep(pause)
		}
	}
	text = append(text, last...)
	emit()
}

func sendBytes(w http.ResponseWriter, n int, declare bool) {
	w.Header().Set("content-type", "text/plain")
	if declare {
		w.Header().Set("content-length", strconv.Itoa(n))
	}
	block := bytes.Repeat([]byte("x"), 64<<10)
	for n > 0 {
		part := block[:min(n, len(block))]
		if _, err := w.Write(part); err != nil {
			return
		}
		n -= len(part)
	}
}
