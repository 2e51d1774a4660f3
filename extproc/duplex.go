package extproc

import (
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/protobuf/encoding/protowire"
)

// bodyMode is how Envoy sends bodies: ProcessingMode.BodySendMode.
type bodyMode int32

const (
	bodyNone   bodyMode = 0
	bodyDuplex bodyMode = 4 // FULL_DUPLEX_STREAMED
)

// modes are the body modes of the filter's own configuration. Envoy tells them
// in the first message of a stream, in protocol_config.
//
// wonted wants NONE in both directions and asks for bodies exchange by
// exchange. Where an operator has set FULL_DUPLEX_STREAMED, Envoy passes on
// only what comes back: every chunk must be echoed, since a CONTINUE is a 500
// and a chunk without an answer is lost without a trace.
type modes struct{ request, response bodyMode }

// rigid: Envoy ignores every mode_override where either body is full duplex.
// We send none then, so that the configured modes are those in force whatever
// another version makes of it.
func (m modes) rigid() bool { return m.request == bodyDuplex || m.response == bodyDuplex }

// echoes says whether a message of that kind must travel back.
func (m modes) echoes(k kind) bool {
	return k == kindRequestBody && m.request == bodyDuplex || k == kindResponseBody && m.response == bodyDuplex
}

// responseBody says whether a response body comes if it is asked for.
func (m modes) responseBody() bool { return !m.rigid() || m.response != bodyNone }

// configured takes the modes from a stream's first message.
func (s *session) configured(m *message) {
	if m.modes == (modes{}) {
		return
	}
	s.modes = m.modes
	if s.modes.rigid() {
		s.server.metrics.duplex.Inc()
		s.server.warnDuplex()
	}
}

// appendPass appends the answer that lets a message go on as it is.
func (s *session) appendPass(b []byte, m *message) []byte {
	if s.modes.echoes(m.kind) {
		return appendEcho(b, m)
	}
	return appendContinue(b, m.kind, nil)
}

// appendEcho appends a body's chunk as the answer to itself: BodyResponse /
// CommonResponse.body_mutation / BodyMutation.streamed_response. The lengths
// are computed first: nest would move the chunk once a level.
func appendEcho(b []byte, m *message) []byte {
	n := 0
	if len(m.body) > 0 {
		n += 1 + protowire.SizeBytes(len(m.body))
	}
	if m.endOfStream {
		n += 2
	}
	mutation := 1 + protowire.SizeBytes(n)
	common := 1 + protowire.SizeBytes(mutation)
	body := 1 + protowire.SizeBytes(common)
	for _, level := range []struct {
		number protowire.Number
		length int
	}{{responseField[m.kind], body}, {1, common}, {3, mutation}, {3, n}} {
		b = protowire.AppendTag(b, level.number, protowire.BytesType)
		b = protowire.AppendVarint(b, uint64(level.length))
	}
	if len(m.body) > 0 {
		b = appendString(b, 1, m.body)
	}
	if m.endOfStream {
		b = appendVarint(b, 2, 1)
	}
	return b
}

// newDuplexLimit allows a warning every ten minutes: it is about a
// configuration, and every stream shows it.
func newDuplexLimit() *rate.Limiter { return rate.NewLimiter(rate.Every(10*time.Minute), 1) }

func (s *Server) warnDuplex() {
	if !s.duplexLimit.Allow() {
		return
	}
	s.complaints.logger.Warn().Msg("the ext_proc filter sends bodies as FULL_DUPLEX_STREAMED: every chunk travels back through wonted, " +
		"and Envoy ignores what wonted asks for exchange by exchange; " +
		"set request_body_mode: NONE, response_body_mode: NONE and allow_mode_override: true in the filter")
}
