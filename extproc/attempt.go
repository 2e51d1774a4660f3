package extproc

import (
	"time"

	"github.com/wonted-project/wonted/extproc/signin"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// A request that signs somebody in says in its body who that is. For these
// alone (package signin says which) the answer to the request headers asks for
// the body, and for the response headers, which tell how it went.
//
// The body is asked for as STREAMED: it comes in chunks, which go on unchanged as
// they are answered. As BUFFERED, a body over Envoy's limit is a 413; as
// BUFFERED_PARTIAL, Envoy 1.40 never goes on with some chunked ones of just its
// limit. The name is judged with the chunk that completes the body, so that an
// attempt that is refused never reaches the upstream whole; or, in a body that is
// too long for a sign-in, with the one that makes it so.
//
// The name is hashed while the chunk is there and is kept nowhere; what had to
// be put together of several is wiped.

// look finds out whether the request, which has passed, signs somebody in: a
// name in its headers is read at once, a body that holds one is asked for.
func (s *session) look(v policy.Verdict, now time.Time) policy.Verdict {
	t := s.server.signIns
	if t == nil {
		return v
	}
	switch t.Look(&s.c.Exchange) {
	case signin.Headers:
		return s.attempt(nil, v, now)
	case signin.Body:
		// Envoy ignores what we ask for where a mode is rigid, and at depth lean
		// we never ask.
		s.asked = !s.modes.rigid() && s.server.depth != DepthLean && !s.request.endOfStream
	}
	return v
}

// attempt reads who is to be signed in and tells the Gate; v is the verdict so
// far.
func (s *session) attempt(body []byte, v policy.Verdict, now time.Time) policy.Verdict {
	if !s.server.identify(&s.c.Exchange, body) {
		return v
	}
	s.signIn = s.c.Exchange.SignIn
	return s.tried(now)
}

// tried asks the Gate about the attempt.
func (s *session) tried(now time.Time) policy.Verdict {
	v := s.server.gate.Attempt(&s.c, now)
	s.shadow = v.Mode == policy.Shadow
	return v
}

// identify sets SignIn where the request is an attempt to sign in.
func (s *Server) identify(ex *scoring.Exchange, body []byte) (attempt bool) {
	name, attempt := s.signIns.Read(ex, body)
	switch {
	case !attempt:
		s.metrics.signIns.none.Inc()
		return false
	case name == nil:
		s.metrics.signIns.unreadable.Inc()
		name = ex.ID[:] // nobody who has tried before
	default:
		s.metrics.signIns.named.Inc()
	}
	s.identity.Subject(ex, name)
	return true
}

// noteAnswer tells what a route answers, which is how sign-in routes are found.
func (s *Server) noteAnswer(ex *scoring.Exchange) {
	if s.signIns != nil {
		s.signIns.Answered(ex)
	}
}

// attemptBody takes a chunk of the body that was asked for.
func (s *session) attemptBody(m *message, now time.Time) outcome {
	body, _, more := s.gather(m)
	if more {
		return s.pass(m)
	}
	defer s.wipe()
	s.asked = false
	if !s.open { // swept while the client took its time
		if v := s.reopen(now); !v.Pass && !s.observed {
			return s.refuse(v)
		}
		s.enter(now)
	}
	v := s.attempt(body, policy.Verdict{Pass: true}, now)
	switch {
	case !v.Pass && !s.observed:
		return s.refuse(v)
	case v.Decision == nil || !s.news(v):
		return s.pass(m)
	}
	f := newFrame()
	f.bytes = s.appendPass(f.bytes, m)
	f.bytes = s.appendMark(f.bytes, v)
	return outcome{reply: f.seal()}
}
