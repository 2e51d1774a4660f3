package extproc

import (
	"time"

	"github.com/wonted-project/wonted/extproc/signin"
	"github.com/wonted-project/wonted/policy"
)

// An endpoint of GraphQL, JSON-RPC or MCP takes everything by one path; what a
// request asks for, its operation, is in its body. Such a request is put off:
// the answer to its headers asks for the body, and it goes before the Gate when
// the body has told the operation, once, on the operation's route. It counts for
// that moment.
//
// How Envoy is asked for the body decides what a denial comes to:
//
//	declared, up to 16 KiB   BUFFERED: nothing goes on before the body is answered.
//	                         A request that is denied never reaches the upstream, and
//	                         the headers that a policy sets do
//	other, up to 64 KiB      STREAMED: the headers have gone on, and chunks go on as
//	                         they come, but the last waits for the verdict. Of a
//	                         request that is denied the upstream may see headers and
//	                         a part of the body, and then a reset. Headers that a
//	                         policy sets on the request come too late: a client's own
//	                         by that name arrive, but for x-wonted-…, which are
//	                         removed from all requests
//
// 16 KiB is half of what Envoy is advised to buffer at an edge; on more than it
// buffers it would answer 413. BUFFERED_PARTIAL would hold any body, but Envoy
// 1.40 never goes on with some.
//
// It is judged at its headers and by its path where no body will tell, or none
// is asked for: it has none or declares more than 64 KiB, is compressed or of
// another type; its caller is contested, so that it is refused whatever it asks
// for; the depth is lean or log; Envoy does not heed us, which the first such
// request shows. And it is judged by its path later where the body turned out to
// be too long or tells nothing, came in parts while too much was held of others
// (mostHeld), or the response or the end of the stream came before. Whatever else a
// policy denies, such a request is denied with its body.

// wholeBody is how long a body may be that Envoy is asked to buffer, in bytes.
const wholeBody = 16 << 10

// putsOff says whether the request is judged when its body has come.
func (s *session) putsOff() bool {
	o, ex := s.server.operations, &s.c.Exchange
	if o == nil || !o.OperationInBody(ex) || ex.Contested || s.server.depth == DepthLean || s.observed || s.modes.rigid() {
		return false
	}
	s.probe = s.server.bodies.unheard() > 0
	return !s.probe
}

// postpone is the reply that lets the request headers go on, as far as they do,
// and asks for the body. The access log gets to know that the request is not
// unseen.
func (s *session) postpone(m *message) *reply {
	how := modeBody
	if n := m.contentLength(); 0 < n && n <= wholeBody {
		s.buffered, how = true, modeWhole
	}
	var mu mutation
	mu.strip(m.headers)
	f := newFrame()
	f.bytes = appendContinue(f.bytes, kindRequestHeaders, &mu)
	f.bytes = s.appendID(f.bytes)
	f.bytes = appendMode(f.bytes, how)
	return f.seal()
}

// operationBody takes a chunk of the body that tells the operation.
func (s *session) operationBody(m *message, now time.Time) outcome {
	body, whole, more := s.gather(m)
	if more {
		return s.pass(m)
	}
	defer s.wipe()
	v := s.decide(body, whole, now)
	if !v.Pass {
		return s.refuse(v)
	}
	s.enter(now)
	var mu mutation
	if s.buffered {
		mu.apply(v.Request)
		mu.strip(s.request.headers)
	}
	f := newFrame()
	f.bytes = appendContinue(f.bytes, m.kind, &mu)
	f.bytes = s.appendMark(f.bytes, v)
	return outcome{reply: f.seal()}
}

// decide judges a request that was put off: by its operation, if a whole body
// tells one, or by its path. In one that is not whole, another member further on
// could be the one that counts.
func (s *session) decide(body []byte, whole bool, now time.Time) policy.Verdict {
	ex := &s.c.Exchange
	ex.Time = now // of counting: it does not go back
	if whole {
		s.server.operations.ReadOperation(ex, body)
	}
	s.operation = ex.Operation
	s.server.metrics.operations.of(ex.Operation != "", s.uploaded > 0).Inc()
	v := s.weigh(now)
	s.state = judged
	if t := s.server.signIns; t != nil && v.Pass && t.Look(ex) != signin.Nothing {
		v = s.attempt(body, v, now)
	}
	return v
}

// untold judges a request whose stream has ended before it told what it asks
// for: it has asked all the same, and counts.
func (s *session) untold() {
	if s.state != putOff || s.broken {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			s.server.panicked(p)
			s.broken = true
		}
	}()
	s.decide(nil, false, s.server.clock.now())
}
