package extproc

import (
	"bytes"
	"strconv"
	"time"

	"github.com/wonted-project/wonted/extproc/signin"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// past is an exchange that is known from the access log alone: opened, answered
// and closed when all is over.
type past struct {
	c      policy.Case
	lines  []scoring.Header
	source []byte
}

// judge takes an entry through the Gate. The exchange counts for the moment at
// which its entry comes, a flush after its end: the times of requests must not
// go back, and entries come in the order of ends.
func (r *logReader) judge(now time.Time) {
	s, e, p := r.server, &r.entry, &r.past
	defer p.reset()
	ex := &p.c.Exchange
	p.c.Told = true
	ex.ID, ex.Time = newID(), now
	ex.ResponseBytes, ex.Records = -1, -1
	p.fill(e)
	if len(ex.Source) == 0 {
		s.signs.sourceless.See(now)
	}
	s.opened.Add(1)
	s.identity.Resolve(ex)
	end := e.end()
	defer func() {
		// Also after a panic: what was counted as begun must end.
		if cause := recover(); cause != nil {
			s.gate.Close(&p.c, scoring.Unknown, now)
			panic(cause)
		}
	}()
	s.gate.Open(&p.c)
	if s.signIns != nil && s.signIns.Look(ex) == signin.Headers && s.identify(ex, nil) { // bodies are not in the log
		s.gate.Attempt(&p.c, now)
	}
	e.answer(ex)
	if ex.Status != 0 {
		s.gate.Answer(&p.c, now)
	}
	ex.Duration = e.took()
	s.metrics.ended[end].Inc()
	s.gate.Close(&p.c, end, now)
}

// fill sets what the exchange takes from its request. A certificate is not
// among it: an entry does not say whether Envoy has verified it.
func (p *past) fill(e *logEntry) {
	ex := &p.c.Exchange
	ex.Method, ex.Protocol = nameOf(methods[:], e.method), nameOf(protocols[:], e.protocol)
	ex.Scheme, ex.Host, ex.Path = e.scheme, e.authority, e.path
	ex.RequestBytes = size(e.requestBytes)
	ex.Metadata = e.metadata
	if string(e.ja4) != "-" {
		ex.JA4 = e.ja4
	}
	p.lines = append(p.lines[:0], e.headers...)
	p.add("user-agent", e.agent)
	p.add("referer", e.referer)
	p.add("x-forwarded-for", e.forwarded)
	p.add("x-request-id", e.requestID)
	ex.Headers = p.lines
	p.source = e.remote.append(p.source[:0])
	ex.Source = p.source
}

// add adds a header that has a field of its own in the entry, unless it is among
// the others as well.
func (p *past) add(name string, value []byte) {
	if len(value) == 0 {
		return
	}
	for i := range p.lines {
		if string(p.lines[i].Name) == name {
			return
		}
	}
	p.lines = append(p.lines, scoring.Header{Name: headerNames[name], Value: value})
}

var headerNames = map[string][]byte{
	"user-agent": []byte("user-agent"), "referer": []byte("referer"), "x-forwarded-for": []byte("x-forwarded-for"), "x-request-id": []byte("x-request-id"),
}

func (p *past) reset() {
	ex := &p.c.Exchange
	ex.Headers, ex.Metadata, ex.JA4 = nil, nil, nil // ours and the entry's
	p.c.Reset()
	clear(p.lines)
}

// methods and protocols are the names of the enums core.v3.RequestMethod and
// HTTPAccessLogEntry.HTTPVersion, the latter as Envoy's attribute has them.
var (
	methods   = [...][]byte{nil, []byte("GET"), []byte("HEAD"), []byte("POST"), []byte("PUT"), []byte("DELETE"), []byte("CONNECT"), []byte("OPTIONS"), []byte("TRACE"), []byte("PATCH")}
	protocols = [...][]byte{nil, []byte("HTTP/1.0"), []byte("HTTP/1.1"), []byte("HTTP/2"), []byte("HTTP/3")}
)

func nameOf(names [][]byte, n uint64) []byte {
	if n < uint64(len(names)) {
		return names[n]
	}
	return nil
}

// append writes the address as Envoy's attribute source.address has it, which
// is nothing where there is none.
func (a *address) append(b []byte) []byte {
	switch {
	case len(a.host) == 0:
		return b
	case bytes.IndexByte(a.host, ':') >= 0:
		b = append(append(append(b, '['), a.host...), ']')
	default:
		b = append(b, a.host...)
	}
	return strconv.AppendUint(append(b, ':'), a.port, 10)
}
