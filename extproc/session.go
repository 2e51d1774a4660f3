package extproc

import (
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/payload"
)

// session drives the one exchange of a stream. See the package comment for its
// states; phases.go holds what happens in each.
type session struct {
	flight
	life
	server *Server
	meter  payload.RecordMeter
	ja4    []byte // of the stream
	body   []byte // that was asked for and comes in several chunks
}

// life is what a session must forget before it serves another stream.
type life struct {
	state    state
	request  *message // the request headers, kept while the exchange points into them
	message  *message // the latest
	owed     bool     // Envoy waits for an answer
	to       kind     // to a message of this kind, as far as it could be read
	observed bool     // observability mode: nobody waits for answers
	shadow   bool     // the latest verdict's mode
	modes    modes
	broken   bool  // it has panicked
	chunks   bool  // a body chunk has come
	uploaded int64 // bytes of request body seen
	asked    bool  // for the request body of a sign-in, and it has not come
	buffered bool  // a request body comes whole, and nothing goes on before it does
	probe    bool  // for a request body, to see whether Envoy heeds it
	signIn   scoring.SignIn
	told     told

	operation string // what the body told
	parent    string // Case.Traceparent
}

// told is what dynamic metadata has said so far.
type told struct {
	action  policy.Action
	score   float64
	awaited bool

	metadata []policy.HeaderRule // of a decision, which is immutable
}

// state is where an exchange stands.
type state uint8

const (
	waiting  state = iota // for the request headers
	putOff                // the judgement, until the body tells what is asked for
	judged                // the request has passed, its response is to come
	metering              // the response body is passing in chunks
	spent                 // closed: whatever comes is waved through
)

// outcome is what one message leads to.
type outcome struct {
	reply *reply      // nil: none is due
	ends  bool        // close the exchange once the reply is sent
	end   scoring.End // as
}

var sessions = sync.Pool{New: func() any {
	s := new(session)
	s.flight.session = s
	return s
}}

// process handles one stream.
func (s *Server) process(stream grpc.ServerStream) error {
	growStack(false)
	ss := sessions.Get().(*session)
	ss.server = s
	for {
		more, err := ss.turn(stream)
		if !more {
			ss.leave()
			return err
		}
	}
}

// turn handles one message. A panic in it costs this exchange and no other.
func (s *session) turn(stream grpc.ServerStream) (more bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			more, err = s.panicked(stream, p)
		}
	}()
	if s.message == nil {
		s.message = newMessage()
	}
	m := s.message
	s.owed, s.to = true, kindNone // whatever goes wrong from here on is about a message
	if err := stream.RecvMsg(m); err != nil {
		return false, s.gone(err)
	}
	s.server.metrics.messages[m.kind].Inc()
	if m.err != nil {
		s.server.metrics.decodeErrors.Inc()
		return false, s.failed(stream, "decode")
	}
	s.to = m.kind
	s.configured(m)
	s.observed = s.observed || m.observability
	s.owed = !s.observed && m.kind != kindNone

	out := s.step(stream, m)
	if m == s.request {
		s.message = nil
	} else {
		m.clear() // a chunk of a body need not be held until the next
	}
	if s.owed {
		if err := stream.SendMsg(out.reply); err != nil {
			s.undelivered()
			return false, err // leave closes it as unknown: the answer did not arrive
		}
		s.owed = false
	}
	if out.ends {
		s.finish(out.end)
	}
	// Envoy keeps an observed stream open until we leave, or for 5 s.
	return !s.observed || s.state != spent, nil
}

// step takes one message through the state table.
func (s *session) step(stream grpc.ServerStream, m *message) outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.server.clock.now()
	s.last = now
	if s.state == metering && !s.open {
		s.state = spent // drained: the process ends
	}
	switch m.kind {
	case kindRequestHeaders:
		if s.state == waiting {
			return s.requestHeaders(stream, m, now)
		}
	case kindRequestBody, kindRequestTrailers:
		return s.requestBody(m, now)
	case kindResponseHeaders:
		switch s.state {
		case waiting:
			s.state = spent // refused by a filter before us: not our exchange
			return s.pass(m)
		case putOff, judged:
			return s.responseHeaders(m, now)
		}
	case kindResponseBody:
		if s.state == metering {
			return s.responseBody(m, now)
		}
	case kindResponseTrailers:
		if s.state == metering {
			return s.responseTrailers(m)
		}
	case kindNone:
		return outcome{}
	}
	if s.state != spent {
		s.server.metrics.spurious[m.kind].Inc()
	}
	return s.pass(m)
}

// pass lets a message of any kind go on as it is, but for forged headers.
func (s *session) pass(m *message) outcome {
	switch {
	case s.modes.echoes(m.kind):
		f := newFrame()
		f.bytes = appendEcho(f.bytes, m)
		return outcome{reply: f.seal()}
	case m.kind == kindRequestHeaders:
		var mu mutation
		if mu.strip(m.headers); !mu.empty() {
			f := newFrame()
			f.bytes = appendContinue(f.bytes, m.kind, &mu)
			return outcome{reply: f.seal()}
		}
	}
	return outcome{reply: harmless[m.kind]}
}

// gone handles the end of the stream. Neither EOF nor Canceled tells how the
// exchange ended, and everything that came has been answered.
func (s *session) gone(err error) error {
	s.owed = false
	if s.observed && s.state == metering && !s.chunks {
		s.finish(scoring.Answered) // in this mode we cannot know whether bodies are sent at all
	}
	if errors.Is(err, io.EOF) || status.Code(err) == codes.Canceled {
		return nil
	}
	return err
}

// finish closes the exchange, unless that has happened.
func (s *session) finish(end scoring.End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(end)
}

func (s *session) end(end scoring.End) {
	s.ended(end)
	s.server.close(&s.flight, end, s.server.clock.now())
	s.state = spent
}

// leave ends the stream's part. What is still open is closed as unknown, unless
// the access log is to tell how it ended; then the session stays as it is and
// goes back to the pool from there.
func (s *session) leave() {
	defer func() {
		if p := recover(); p != nil {
			s.server.panicked(p)
		}
	}()
	s.mu.Lock()
	locked := true
	defer func() {
		if locked { // a panic below
			s.mu.Unlock()
		}
	}()
	s.wipe() // here, or what a panic leaves broken would count as held for ever
	s.unheard()
	s.untold()
	if !s.awaited || s.owed || s.broken {
		s.end(scoring.Unknown)
	}
	s.detached, locked = true, false
	s.unlock()
}

// reset gives back what was borrowed. The caller holds mu.
func (s *session) reset() {
	if s.request != nil {
		s.request.release()
	}
	if s.message != nil {
		s.message.release()
	}
	ex := &s.c.Exchange
	ex.Headers, ex.Metadata = nil, nil // the message's, which others use by now
	s.c.Reset()
	s.life = life{}
	s.open, s.passing, s.awaited, s.detached = false, false, false, false
}

// ja4Key is where Envoy is told to put the fingerprint: gRPC metadata, which a
// client cannot write.
const ja4Key = "x-wonted-ja4"

// fingerprint appends the stream's.
func fingerprint(b []byte, stream grpc.ServerStream) []byte {
	if v := metadata.ValueFromIncomingContext(stream.Context(), ja4Key); len(v) > 0 && v[0] != "-" {
		b = append(b, v[0]...)
	}
	return b
}

// parentOf is the proxy's span for what the stream carries: where Envoy traces, it
// says so in gRPC metadata. The request's own header names its client's span, as
// filters see it before Envoy's router writes Envoy's.
func parentOf(stream grpc.ServerStream) string {
	if v := metadata.ValueFromIncomingContext(stream.Context(), "traceparent"); len(v) > 0 {
		return v[0]
	}
	return ""
}

// begin opens an exchange: from here on it must be closed, once.
func (s *session) begin(now time.Time) {
	ex := &s.c.Exchange
	ex.ID, ex.Time = newID(), now
	ex.RequestBytes, ex.ResponseBytes, ex.Records = -1, -1, -1
	s.open, s.passing = true, false
	s.server.opened.Add(1)
	s.server.metrics.open.Inc()
}

// enter puts an open exchange into the table: it waits for something from here
// on, and may be closed in its stream's place.
func (s *session) enter(now time.Time) {
	if evicted := s.server.open.add(&s.flight, now); evicted != nil {
		s.server.closeFor(evicted, now, s.server.metrics.swept.capacity)
	}
}
