package scoring

import (
	"bytes"

	"github.com/wonted-project/wonted/scoring/route"
)

// routeOf finds the request's route as far as headers and Operation tell it.
func (s *Scorer) routeOf(ex *Exchange) (m route.Match) {
	if operation := s.operationOf(ex); operation == "" {
		m = s.routes.Match(ex.Method, ex.Path)
	} else {
		m = s.routes.MatchOperation(ex.Method, ex.Path, operation)
	}
	s.specify(&m, ex.Headers)
	return m
}

var grpc = []byte("application/grpc")

// specify takes from the headers what the path does not say: the API's version,
// from a header or the media type that is asked for or sent; and that the path
// is a gRPC method.
func (s *Scorer) specify(m *route.Match, headers []Header) {
	var accept, sent []byte
	for i := range headers {
		h := &headers[i]
		if n := len(h.Name); n >= 64 || s.headerLengths>>n&1 == 0 {
			continue
		}
		switch string(h.Name) {
		case "accept":
			accept = h.Value
		case "content-type":
			sent = h.Value
		default:
			for _, name := range s.versionHeaders {
				if m.Version == 0 && string(h.Name) == name {
					m.Version = route.HeaderVersion(h.Value)
				}
			}
		}
	}
	if m.Version == 0 && len(accept) > 0 {
		m.Version = route.MediaTypeVersion(accept)
	}
	if len(sent) == 0 {
		return
	}
	if m.Version == 0 {
		m.Version = route.MediaTypeVersion(sent)
	}
	if m.Operation == "" && bytes.HasPrefix(sent, grpc) {
		m.Operation = route.GRPC(m.Name)
	}
}

// lengthsOf is a set of the lengths below 64 that the names of headers have, so
// that most headers are passed over by their length.
func lengthsOf(names []string) (set uint64) {
	for _, name := range append([]string{"accept", "content-type"}, names...) {
		if len(name) < 64 {
			set |= 1 << len(name)
		}
	}
	return set
}
