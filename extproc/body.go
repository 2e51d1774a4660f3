package extproc

import (
	"sync/atomic"

	"github.com/wonted-project/wonted/extproc/signin"
)

// mostBody is how much is looked at of a request body that was asked for, in
// bytes.
const mostBody = signin.MaxBody

// mostHeld bounds what is held of unfinished bodies in all streams together:
// clients that send slowly must not fill the memory. Beyond it a body is read as
// far as its first chunk goes.
const mostHeld = 32 << 20

// gather puts the chunks of a request body together, until it is whole or more
// of it than is looked at has come. Until wipe, what it returns may be the
// session's.
func (s *session) gather(m *message) (body []byte, whole, more bool) {
	s.upload(m)
	body = m.body
	declared := s.request.contentLength()
	whole = m.endOfStream || m.kind == kindRequestTrailers || s.buffered || declared >= 0 && s.uploaded >= declared
	if more = !whole && s.uploaded <= mostBody && s.server.held.Load() < mostHeld; more || len(s.body) > 0 {
		part := body[:min(len(body), mostBody+1)]
		s.server.held.Add(int64(len(part)))
		s.body = append(s.body, part...)
		body = s.body
	}
	return body, whole, more
}

// wipe forgets a body that was put together.
func (s *session) wipe() {
	if len(s.body) == 0 {
		return
	}
	s.server.held.Add(-int64(len(s.body)))
	clear(s.body)
	if s.body = s.body[:0]; cap(s.body) > 4<<10 {
		s.body = nil
	}
}

// bodies is what is known of whether request bodies come that were asked for.
// They do not where the filter lacks allow_mode_override.
type bodies struct {
	came   atomic.Bool
	missed atomic.Uint64
}

// heard: one has come. It is known for good, or clients that go away before they
// send any could make us doubt.
func (b *bodies) heard() {
	if !b.came.Load() { // the cache line stays shared
		b.came.Store(true)
	}
}

// unheard is how many were waited for, while none has ever come.
func (b *bodies) unheard() uint64 {
	if b.came.Load() {
		return 0
	}
	return b.missed.Load()
}

// unheard notes that a body has not come that tells an operation.
func (s *session) unheard() {
	if s.uploaded == 0 && (s.state == putOff || s.probe) {
		s.server.bodies.missed.Add(1)
	}
	s.probe = false
}
