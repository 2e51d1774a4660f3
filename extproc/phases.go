package extproc

import (
	"bytes"
	"strconv"
	"time"

	"google.golang.org/grpc"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// requestHeaders opens the exchange and asks the Gate, unless what the request
// asks for is still to come in its body.
func (s *session) requestHeaders(stream grpc.ServerStream, m *message, now time.Time) outcome {
	s.request = m
	s.ja4 = fingerprint(s.ja4[:0], stream)
	if s.server.traced {
		s.parent = parentOf(stream)
	}
	s.introduce(now)
	if s.putsOff() {
		s.state = putOff
		return outcome{reply: s.postpone(m)}
	}
	v := s.weigh(now)
	if !v.Pass && !s.observed {
		return s.refuse(v)
	}
	if v = s.look(v, now); !v.Pass && !s.observed {
		return s.refuse(v)
	}
	s.state = judged
	s.awaited = !s.asked && !s.probe && s.lean(v, now)
	s.enter(now)
	return outcome{reply: s.proceed(m, v)}
}

// introduce opens the exchange of the request that is held, and says whose it
// is.
func (s *session) introduce(now time.Time) {
	s.begin(now)
	ex := &s.c.Exchange
	s.request.fill(ex)
	if len(ex.Source) == 0 {
		s.server.signs.sourceless.See(now)
	}
	if s.uploaded > 0 { // -1 is unknown, and 0 would be known
		ex.RequestBytes = max(ex.RequestBytes, s.uploaded)
	}
	ex.JA4 = s.ja4
	s.c.Traceparent = s.parent
	ex.Operation = s.operation // opened before: it is known
	s.server.identity.Resolve(ex)
}

// weigh puts the exchange before the Gate.
func (s *session) weigh(now time.Time) policy.Verdict {
	v := s.server.gate.Open(&s.c)
	s.shadow = v.Mode == policy.Shadow
	if s.signIn != (scoring.SignIn{}) { // opened before: whom it signs in is known
		s.c.Exchange.SignIn = s.signIn
		v = s.tried(now)
	}
	return v
}

// reopen puts an exchange before the Gate again that was closed in its place,
// as unknown, while its response was awaited: a client must not escape by
// making wonted wait, nor by opening so many streams that others are closed.
// It is a new opening: with its own id, at the time of its response, with all
// that a Gate knows by now, and learned once. The first one taught
// nothing, and stays counted as a request.
func (s *session) reopen(now time.Time) policy.Verdict {
	s.server.metrics.reopened.Inc()
	s.server.open.remove(&s.flight) // the log is not to tell of the old one any more
	ex := &s.c.Exchange
	ex.Headers, ex.Metadata = nil, nil // the request's, which Reset would wipe
	after := s.c.Told
	s.c.Reset()
	s.c.Told = after
	s.told = told{awaited: s.told.awaited} // what the access log knows is of another id
	s.introduce(now)
	return s.weigh(now)
}

// fill sets what the exchange takes from its request.
func (m *message) fill(ex *scoring.Exchange) {
	ex.Method, ex.Scheme, ex.Host, ex.Path = m.pseudo.method, m.pseudo.scheme, m.pseudo.authority, m.pseudo.path
	ex.Headers = m.headers
	ex.Metadata = m.metadata
	ex.RequestBytes = m.contentLength()
	a := &m.attributes
	ex.Source, ex.Protocol = a.source, a.protocol
	if !a.noMTLS && !a.invalidCertificate {
		ex.PeerURISAN, ex.PeerDNSSAN, ex.PeerSubject = a.uriSAN, a.dnsSAN, a.subject
	}
}

// contentLength is how long the body will be, -1 where that is unknown.
func (m *message) contentLength() int64 {
	if m.endOfStream {
		return 0
	}
	declared := m.header("content-length")
	if len(declared) == 0 {
		return -1 // the common case, and ParseInt's error would be an allocation
	}
	n, err := strconv.ParseInt(string(declared), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// proceed is the reply that lets the request go on. Nearly always that is a
// patched copy of a template.
func (s *session) proceed(m *message, v policy.Verdict) *reply {
	ex := &s.c.Exchange
	s.told = told{v.Action, ex.Assessment.Score, s.awaited, v.Metadata}
	var mu mutation
	mu.apply(v.Request)
	mu.strip(m.headers)
	f := newFrame()
	if v.Action == policy.Allow && mu.empty() && len(v.Metadata) == 0 && !s.modes.rigid() && !s.asked && !s.probe {
		t := &allowed[v.Mode]
		if s.awaited {
			t = &lean[v.Mode]
		}
		f.bytes = t.fill(f.bytes, ex.ID, ex.Assessment.Score)
		return f.seal()
	}
	f.bytes = appendContinue(f.bytes, kindRequestHeaders, &mu)
	f.bytes = s.appendMark(f.bytes, v)
	switch {
	case s.asked || s.probe:
		f.bytes = appendMode(f.bytes, modeBody)
	case !s.awaited:
		f.bytes = appendMode(f.bytes, s.ask(modeHeaders))
	}
	return f.seal()
}

// responseHeaders tells the Gate the status and the declared size, and asks for
// the body where the Gate wants to see it.
func (s *session) responseHeaders(m *message, now time.Time) outcome {
	s.awaited = false // the filter sends what nobody has asked for
	s.asked = false   // and no body comes after the response
	s.unheard()
	if s.state == putOff {
		if v := s.decide(nil, false, now); !v.Pass {
			return s.refuse(v)
		}
		s.enter(now)
	}
	if !s.open {
		if v := s.reopen(now); !v.Pass && !s.observed {
			return s.refuse(v)
		}
		s.enter(now)
	}
	s.passing = true
	ex := &s.c.Exchange
	code, _ := strconv.Atoi(string(m.pseudo.status))
	ex.Status = httpStatus(code, m.header("grpc-status"))
	ex.ResponseBytes = m.contentLength()
	if code == 204 || code == 304 || bytes.Equal(ex.Method, []byte("HEAD")) {
		ex.ResponseBytes = 0 // RFC 9110, 6.4.1: none follows, whatever content-length says
	}
	ex.Duration = now.Sub(ex.Time)
	s.server.answered.Add(1)
	s.server.noteAnswer(ex)
	v := s.server.gate.Answer(&s.c, now)
	if !v.Pass && !s.observed {
		return s.refuse(v)
	}
	body := ex.ResponseBytes != 0 && (v.Body || s.server.depth == DepthBodies) && s.modes.responseBody()
	out := outcome{reply: s.answer(v, body)}
	if body {
		s.meter.Reset(m.header("content-type"), m.header("content-encoding"))
		s.state = metering
		return out
	}
	s.state = spent
	out.ends, out.end = true, scoring.Answered
	return out
}

// answer is the reply that lets the response headers go on.
func (s *session) answer(v policy.Verdict, body bool) *reply {
	news := s.news(v)
	ask := modeKept
	if body {
		ask = s.ask(modeStreaming)
	}
	if !news && len(v.Response) == 0 {
		if ask == modeStreaming {
			return streamed
		}
		return harmless[kindResponseHeaders]
	}
	var mu mutation
	mu.apply(v.Response)
	f := newFrame()
	f.bytes = appendContinue(f.bytes, kindResponseHeaders, &mu)
	if news {
		f.bytes = s.appendMark(f.bytes, v)
	}
	f.bytes = appendMode(f.bytes, ask)
	return f.seal()
}

// ask is the mode to ask for, where asking is of use.
func (s *session) ask(m mode) mode {
	if s.modes.rigid() {
		return modeKept
	}
	return m
}

// requestBody comes where it was asked for, see operation.go and attempt.go, or
// where the filter's own configuration asks for it. Trailers end it in the place
// of a last chunk.
func (s *session) requestBody(m *message, now time.Time) outcome {
	s.server.bodies.heard()
	switch {
	case s.state == putOff:
		return s.operationBody(m, now)
	case s.state == judged && s.asked:
		return s.attemptBody(m, now)
	case s.state == judged || s.state == metering:
		s.upload(m)
	}
	return s.pass(m)
}

// upload counts a part of the request body.
func (s *session) upload(m *message) {
	if m.kind == kindRequestTrailers {
		return
	}
	s.uploaded += int64(len(m.body))
	if s.open {
		ex := &s.c.Exchange
		ex.RequestBytes = max(ex.RequestBytes, s.uploaded)
	}
}

// responseBody meters a chunk before it goes on. A verdict against it cuts the
// response: its headers have left.
func (s *session) responseBody(m *message, now time.Time) outcome {
	ex := &s.c.Exchange
	if !s.chunks {
		s.chunks = true
		ex.ResponseBytes = 0 // what was declared is now counted
	}
	ex.ResponseBytes += int64(len(m.body))
	s.meter.Write(m.body)
	ex.Records = s.meter.Records()
	v := s.server.gate.Meter(&s.c, now)
	if !v.Pass && !s.observed {
		return s.cut(v)
	}
	var out outcome
	if s.news(v) {
		f := newFrame()
		f.bytes = s.appendPass(f.bytes, m)
		f.bytes = s.appendMark(f.bytes, v)
		out.reply = f.seal()
	} else {
		out = s.pass(m)
	}
	if m.endOfStream {
		s.state = spent
		out.ends, out.end = true, scoring.Answered
	}
	return out
}

// responseTrailers end a body in the place of a last chunk.
func (s *session) responseTrailers(m *message) outcome {
	ex := &s.c.Exchange
	ex.Status = httpStatus(ex.Status, m.header("grpc-status"))
	s.state = spent
	return outcome{reply: harmless[m.kind], ends: true, end: scoring.Answered}
}
