package scoring

import (
	"bytes"

	"github.com/wonted-project/wonted/scoring/route"
)

// OperationInBody says whether a request, as far as its headers tell, has its
// operation in a body that can be read: then the body is worth waiting for, and
// ReadOperation comes before Begin. A request by another method, or to a path
// that carries no operations, is told in a few nanoseconds.
func (s *Scorer) OperationInBody(ex *Exchange) bool {
	if string(ex.Method) != "POST" || ex.RequestBytes == 0 || ex.RequestBytes > route.MaxBody || !s.routes.Carries(ex.Path) {
		return false
	}
	var sent, encoding []byte
	for i := range ex.Headers {
		switch h := &ex.Headers[i]; string(h.Name) {
		case "content-type":
			sent = h.Value
		case "content-encoding":
			encoding = h.Value
		case "upgrade": // what follows is no body
			return false
		}
	}
	return route.Readable(sent, encoding)
}

// ReadOperation sets the operation of a request that has it in its body, which
// is whole.
func (s *Scorer) ReadOperation(ex *Exchange, body []byte) {
	var sent []byte
	for i := range ex.Headers {
		if string(ex.Headers[i].Name) == "content-type" {
			sent = ex.Headers[i].Value
		}
	}
	name, ok := route.Operation(sent, body)
	if other, asks := route.QueryOperation(ex.Path); ok && asks && other != name {
		name = route.Batch // there are servers to which the query goes before the body
	}
	ex.Operation = name
}

// operationOf is the request's operation: of its body, or of its query where it
// has no body.
func (s *Scorer) operationOf(ex *Exchange) string {
	if ex.Operation != "" || bytes.IndexByte(ex.Path, '?') < 0 || ex.RequestBytes != 0 && string(ex.Method) != "GET" || !s.routes.Carries(ex.Path) {
		return ex.Operation
	}
	name, _ := route.QueryOperation(ex.Path)
	return name
}
