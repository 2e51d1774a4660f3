package extproc

import (
	"encoding/hex"
	"time"

	"github.com/wonted-project/wonted/scoring"
)

// logEntry is one HTTPAccessLogEntry as far as wonted reads it. Its byte slices
// point into the message.
type logEntry struct {
	whole bool // read the request too

	// Common properties.
	id           scoring.ID
	marked       bool // there is an id of ours
	decided      bool // and what was decided
	awaited      bool // whose exchange's end is to come from here
	kind         uint64
	intermediate bool
	remote       address // the client's, as Envoy's settings derive it
	ja4          []byte  // of the client's TLS hello: a custom tag
	duration     span    // until the stream was destroyed
	sent         span    // until the last byte was sent
	flags        uint64  // response flags, a bit for each field number
	attempts     uint64  // to reach an upstream
	metadata     []scoring.Namespace

	// The request.
	protocol, method                     uint64
	scheme, authority, path              []byte
	agent, referer, forwarded, requestID []byte
	requestBytes                         uint64
	headers                              []scoring.Header

	// The response.
	code       uint64 // 0: none was sent
	bytes      uint64 // of the body
	details    []byte
	grpcStatus []byte // from the trailers
}

// address is a core.v3.Address of a socket.
type address struct {
	host []byte
	port uint64
}

// span is a google.protobuf.Duration.
type span struct{ seconds, nanos uint64 }

func (s span) duration() time.Duration {
	seconds := min(max(int64(s.seconds), 0), 1<<32) // a century is long enough
	return time.Duration(seconds)*time.Second + time.Duration(max(int32(s.nanos), 0))
}

func (e *logEntry) clear() {
	headers, metadata := e.headers, e.metadata
	clear(headers)
	clear(metadata)
	*e = logEntry{headers: headers[:0], metadata: metadata[:0]}
}

// The access log types of an entry that tells of an end.
const (
	logTypeNotSet = 0
	logTypeEnd    = 6 // DownstreamEnd
)

// final: the exchange is over, and this is the proxy's own account of it, not
// that of one attempt to reach an upstream.
func (e *logEntry) final() bool {
	return !e.intermediate && (e.kind == logTypeNotSet || e.kind == logTypeEnd)
}

// readable: the request's head was read. Envoy also logs what it could not read.
func (e *logEntry) readable() bool {
	return len(e.path) > 0 && !e.flagged(flagDownstreamProtocol)
}

// contacted: the request has left for an upstream.
func (e *logEntry) contacted() bool { return e.attempts > 0 || string(e.details) == viaUpstream }

// blocked: the filter that wonted keeps for it refused the request before wonted
// was asked.
func (e *logEntry) blocked() bool { return !e.marked && string(e.details) == blocked }

// unjudged: an upstream was asked, and there is no word of ours about it; or no
// more than that the request was put off, and yet it was answered.
func (e *logEntry) unjudged() bool {
	return e.contacted() && (!e.marked || !e.decided && e.code != 0)
}

// What Envoy says in response_code_details.
const (
	viaUpstream      = "via_upstream"
	internalRedirect = "internal_redirect"
	blocked          = "rbac_access_denied_matched_policy[wonted-quarantine]" // package envoy/edge names the policy
)

// The response flags that say that a response may have been cut: the field
// numbers of ResponseFlags.
const (
	flagLocalReset          = 4
	flagUpstreamReset       = 5
	flagUpstreamTermination = 7
	flagClientGone          = 15
	flagStreamIdle          = 17
	flagDownstreamProtocol  = 19
	flagMaxDuration         = 20
	flagDurationTimeout     = 23
	flagUpstreamProtocol    = 24
	flagClientReset         = 28

	brokenFlags uint64 = 1<<flagLocalReset | 1<<flagUpstreamReset | 1<<flagUpstreamTermination | 1<<flagStreamIdle |
		1<<flagMaxDuration | 1<<flagDurationTimeout | 1<<flagUpstreamProtocol
)

func (e *logEntry) flagged(n uint) bool { return e.flags>>n&1 != 0 }

// end says how the exchange ended. Whatever answered counts as the upstream,
// as it does where the response headers tell: a filter behind us, or Envoy
// itself with a 503.
//
// A reset before the response is such a 503 or 504. In the middle of one it
// leaves the status that had been sent, and half of a body.
func (e *logEntry) end() scoring.End {
	switch {
	case e.code == 0:
		return scoring.Unknown
	case e.code == 101:
		return scoring.Answered // an upgraded connection ends by being reset
	case e.flagged(flagClientGone), e.flagged(flagClientReset):
		return scoring.Unknown
	case e.flags&brokenFlags != 0 && e.code < 500:
		return scoring.Unknown
	}
	return scoring.Answered
}

// took is how long the exchange took.
func (e *logEntry) took() time.Duration {
	if e.sent != (span{}) {
		return e.sent.duration()
	}
	return e.duration.duration()
}

// answer sets what the entry tells of the response.
func (e *logEntry) answer(ex *scoring.Exchange) {
	ex.RequestBytes = max(ex.RequestBytes, size(e.requestBytes))
	if e.code == 0 {
		return
	}
	ex.Status = httpStatus(int(min(e.code, 999)), e.grpcStatus)
	ex.ResponseBytes = size(e.bytes)
	ex.Duration = e.took()
}

// size is a count that Envoy sends unsigned.
func size(n uint64) int64 { return int64(min(n, 1<<62)) }

// setID takes the id from our metadata.
func (e *logEntry) setID(text []byte) {
	e.marked = false
	if len(text) != 2*len(e.id) {
		return
	}
	_, err := hex.Decode(e.id[:], text)
	e.marked = err == nil
}
