package detect

import (
	"bufio"
	"container/heap"
	"fmt"
	"strconv"

	"github.com/wonted-project/wonted/scoring/recorded"
)

// emitter writes the stream as recorded exchanges, labelled: what the
// population does is "benign"; the first trial of each scenario lies in it at
// its place, labelled "attack <name>". `wonted replay` reads it.
type emitter struct {
	out  *bufio.Writer
	enc  *recorded.Encoder
	seen map[string]bool
	late pending // of trials: they run ahead of the stream
	n    int
	err  error
}

func newEmitter(out *bufio.Writer) *emitter {
	return &emitter{out: out, enc: recorded.NewEncoder(out), seen: map[string]bool{}}
}

// pending is lines by time, then by when they came.
type pending []pendingLine

type pendingLine struct {
	call  Call
	label string
	n     int
}

func (p pending) Len() int { return len(p) }
func (p pending) Less(i, j int) bool {
	return p[i].call.At < p[j].call.At || p[i].call.At == p[j].call.At && p[i].n < p[j].n
}
func (p pending) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *pending) Push(x any)   { *p = append(*p, x.(pendingLine)) }
func (p *pending) Pop() any     { old := *p; x := old[len(old)-1]; *p = old[:len(old)-1]; return x }

// attack says what to do with the calls of a trial: nil, nothing.
func (e *emitter) attack(name string) func(*Call) {
	if e.seen[name] {
		return nil
	}
	e.seen[name] = true
	label := "attack " + name
	return func(c *Call) {
		e.n++
		heap.Push(&e.late, pendingLine{*c, label, e.n})
	}
}

// benign writes a call of the population, and before it what is due.
func (e *emitter) benign(c *Call) error {
	e.flush(c.At)
	e.write(c, "benign")
	return e.err
}

func (e *emitter) flush(until int64) {
	for len(e.late) > 0 && e.late[0].call.At <= until {
		l := heap.Pop(&e.late).(pendingLine)
		e.write(&l.call, l.label)
	}
}

func (e *emitter) close() error {
	e.flush(1 << 62)
	if e.err == nil {
		e.err = e.out.Flush()
	}
	return e.err
}

// write makes a line that the default identity rules read as fill does: a
// person and a partner have a verified token, a program an API key.
func (e *emitter) write(c *Call, label string) {
	if e.err != nil {
		return
	}
	line := recorded.Exchange{
		Time: at(c.At), Method: c.method(), Scheme: "https", Host: "api.example", Path: string(c.path(nil)), Protocol: "HTTP/2",
		Headers: map[string][]string{}, Source: c.Address.addr().String() + ":40000", JA4: fmt.Sprintf("t13d%06x", c.Device),
		RequestBytes: &c.RequestBytes, Status: int(c.Status), DurationMS: float64(c.Took), Label: label,
	}
	name := strconv.Itoa(int(c.Caller))
	switch {
	case c.Caller == 0:
	case c.From == person || c.From == partner:
		line.JWT = map[string]any{"sub": "caller-" + name}
	default:
		line.Headers["x-api-key"] = []string{"key-" + name}
	}
	if c.Credential != 0 {
		line.Headers["authorization"] = []string{"Bearer token-" + strconv.Itoa(int(c.Credential))}
	}
	if c.Session != 0 {
		line.Headers["cookie"] = []string{"session=s-" + strconv.Itoa(int(c.Session))}
	}
	if c.User != 0 {
		line.Headers["content-type"] = []string{"application/json"}
		line.RequestBody = `{"user":"user-` + strconv.Itoa(int(c.User)) + `@example.com","password":"***"}`
	}
	if c.Bytes >= 0 {
		line.ResponseBytes = &c.Bytes
	}
	if c.Records >= 0 {
		line.Records = &c.Records
	}
	e.err = e.enc.Encode(&line)
}
