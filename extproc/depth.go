package extproc

import (
	"time"

	"github.com/wonted-project/wonted/policy"
)

// Depth says how much of an exchange is asked for.
type Depth uint8

// The depths.
const (
	DepthHeaders  Depth = iota // request and response headers; the body where the Gate asks for it
	DepthBodies                // and every response body
	DepthAdaptive              // lean where the Gate does not want the response and a log is there to tell its end, else headers
	DepthLean                  // request headers alone: the end comes from the access log
	DepthLog                   // nothing: what is known comes from the access log, when all is over
)

// lean says whether the end of the exchange is left to the access log, so that
// Envoy ends the stream with our answer to the request headers.
//
// Not where nobody reads what we answer, nor where Envoy ignores what we ask
// for: it would go on sending.
func (s *session) lean(v policy.Verdict, now time.Time) bool {
	if s.observed || s.modes.rigid() {
		return false
	}
	switch s.server.depth {
	case DepthLean:
		return true
	case DepthAdaptive:
		return !v.Headers && s.server.log.alive(now)
	}
	return false
}
