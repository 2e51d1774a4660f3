package extproc

import (
	"sync"

	"google.golang.org/grpc/mem"

	"github.com/wonted-project/wonted/scoring"
)

// kind is what a message from Envoy carries.
type kind uint8

// The kinds are the field numbers of the oneof in ProcessingRequest, so that
// the walk needs no table. kindNone is a message without any of them (flow
// control, or nothing): it is not answered.
const (
	kindNone             kind = 0
	kindRequestHeaders   kind = 2
	kindResponseHeaders  kind = 3
	kindRequestBody      kind = 4
	kindResponseBody     kind = 5
	kindRequestTrailers  kind = 6
	kindResponseTrailers kind = 7
	kinds                int  = 8
)

var kindNames = [kinds]string{
	kindNone: "other", 1: "other",
	kindRequestHeaders: "request_headers", kindRequestBody: "request_body", kindRequestTrailers: "request_trailers",
	kindResponseHeaders: "response_headers", kindResponseBody: "response_body", kindResponseTrailers: "response_trailers",
}

func (k kind) String() string { return kindNames[k] }

// message is one ProcessingRequest as far as wonted reads it. Its byte slices
// point into buf, which it holds until release: copy what must live longer.
type message struct {
	kind          kind
	pseudo        pseudo
	headers       []scoring.Header // of headers and trailers, without the pseudo headers
	body          []byte
	endOfStream   bool
	attributes    attributes
	metadata      []scoring.Namespace
	modes         modes // zero but in the first message of a stream
	observability bool  // nobody waits for answers, and none may be sent
	err           error // the walk refused the message: nothing else in it counts

	buf mem.Buffer
}

// pseudo are the headers that HTTP/2 took out of the start line.
type pseudo struct{ method, scheme, authority, path, status []byte }

// attributes are those of Envoy's attributes that wonted asks for. Absent ones
// are empty.
type attributes struct {
	source                  []byte // source.address
	protocol                []byte // request.protocol
	uriSAN, dnsSAN, subject []byte // connection.*_peer_certificate
	noMTLS                  bool   // connection.mtls is there, and false
	invalidCertificate      bool   // connection.peer_certificate_valid is there, and false
}

// roomy bounds what a pooled message keeps: one odd request must not pin its
// thousand headers for ever.
const roomy = 256

var messages = sync.Pool{New: func() any { return &message{headers: make([]scoring.Header, 0, 32)} }}

func newMessage() *message { return messages.Get().(*message) }

// decode takes a reference to the data and walks it. A refusal is kept in err
// and not returned: grpc-go would answer it with a status of its own, and what
// to do about it is the fail mode's to say.
func (m *message) decode(data mem.BufferSlice) {
	m.clear()
	m.buf = data.MaterializeToBuffer(buffers)
	m.err = m.walk(m.buf.ReadOnlyData())
}

// clear drops the contents and the reference to their buffer; capacity stays.
func (m *message) clear() {
	if m.buf != nil {
		m.buf.Free()
	}
	headers, metadata := m.headers, m.metadata
	clear(headers) // no pointers into buffers that others now use
	clear(metadata)
	*m = message{}
	m.headers, m.metadata = headers[:0], metadata[:0]
}

// release gives the message back. Nothing may read its slices any more.
func (m *message) release() {
	m.clear()
	if cap(m.headers) <= roomy && cap(m.metadata) <= roomy {
		messages.Put(m)
	}
}
