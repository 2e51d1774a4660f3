package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
)

// The API that is protected, as small as it can be: it shares the machine with
// what is measured. It speaks HTTP/1.1 with Envoy only, answers GET only, and
// every answer is a text made before.
const (
	exportRecords    = 560 // 100 KB
	statementRecords = 100
	recordSize       = 180 // bytes of a record in a list
	mostRecords      = 2000

	forgedKey = "ak_none_" // how a key begins that nobody has
	refusal   = `{"error":"unknown key"}`
)

// objectSize is the body size of one object: 240 to 800 bytes.
func objectSize(object uint64) int { return 240 + int(object%objects)*80 }

// listSize is that of a list: [record,record,…].
func listSize(records int) int { return records*(recordSize+1) + 1 }

// record is one JSON object of exactly size bytes.
func record(id, size int) []byte {
	b := fmt.Appendf(nil, `{"id":%d,"name":"Ada Example","city":"Leiden","note":"`, id)
	return append(append(b, bytes.Repeat([]byte("x"), size-len(b)-2)...), `"}`...)
}

func response(status string, body []byte) []byte {
	return append(fmt.Appendf(nil, "HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"+
		"cache-control: private, max-age=0\r\nvary: accept-encoding\r\n\r\n", status, len(body)), body...)
}

// answers are the responses that have been made.
type answers struct {
	objects [objects][]byte
	unknown []byte // of a key that nobody has
	mu      sync.RWMutex
	lists   map[int][]byte // by number of records
}

func newAnswers() *answers {
	a := &answers{unknown: response("401 Unauthorized", []byte(refusal)), lists: map[int][]byte{}}
	for i := range a.objects {
		a.objects[i] = response("200 OK", record(i, objectSize(uint64(i))))
	}
	return a
}

func (a *answers) list(records int) []byte {
	records = min(records, mostRecords)
	a.mu.RLock()
	made := a.lists[records]
	a.mu.RUnlock()
	if made != nil {
		return made
	}
	body := []byte("[")
	for i := range records {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, record(i, recordSize)...)
	}
	made = response("200 OK", append(body, ']'))
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lists[records] = made
	return made
}

// to finds the answer to a path.
func (a *answers) to(path []byte) []byte {
	if _, limit, ok := bytes.Cut(path, []byte("limit=")); ok {
		n, _ := strconv.Atoi(string(limit))
		return a.list(n)
	}
	switch last := path[bytes.LastIndexByte(path, '/')+1:]; string(last) {
	case "statement":
		return a.list(statementRecords)
	case "export":
		return a.list(exportRecords)
	default:
		n, _ := strconv.ParseUint(string(last), 10, 64)
		return a.objects[n%objects]
	}
}

// ServeUpstream answers on l until l is closed.
func ServeUpstream(l net.Listener) error {
	a := newAnswers()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the upstream: %w", err)
		}
		go func() {
			defer conn.Close()
			_ = a.serve(conn) // Envoy has closed it
		}()
	}
}

func (a *answers) serve(conn net.Conn) error {
	in := bufio.NewReaderSize(conn, 16<<10)
	for {
		first, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		path, ok := bytes.CutPrefix(first, []byte("GET "))
		if !ok {
			_, err := io.WriteString(conn, "HTTP/1.1 405 Method Not Allowed\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
			return err
		}
		path, _, _ = bytes.Cut(path, []byte(" "))
		answer := a.to(path)
		for { // the rest of the head
			line, err := in.ReadSlice('\n')
			if err != nil {
				return err
			}
			if len(line) <= 2 {
				break
			}
			if bytes.HasPrefix(line, []byte("x-api-key: "+forgedKey)) {
				answer = a.unknown
			}
		}
		if _, err := conn.Write(answer); err != nil {
			return err
		}
	}
}
