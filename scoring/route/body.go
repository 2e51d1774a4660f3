package route

import (
	"bytes"
	"net/url"
	"strings"
)

// MaxBody is how much of a body is read to find its operation, in bytes. What
// names no operation within it is the path's own route.
const MaxBody = 64 << 10

// maxBatch bounds the calls of a batch that are looked at.
const maxBatch = 64

// Two operations that no client names.
const (
	Batch    = "batch"    // several different ones
	Response = "response" // none: a client answers what an MCP server has asked it
)

// Readable says whether an operation can be read in a body of this type and
// encoding, the values of content-type and content-encoding.
func Readable(contentType, encoding []byte) bool {
	if encoding = bytes.TrimSpace(encoding); len(encoding) > 0 && !sameName(encoding, "identity") {
		return false
	}
	return reader(contentType) != nil
}

// Operation finds the operation that a request asks for in its body, whole:
//
//	GraphQL            operationName; else the name of the document's only operation,
//	                   or its type and first field where it has none: "query/orders"
//	JSON-RPC, MCP      method, and for tools/call and prompts/get params.name:
//	                   "tools/call/search"
//	a batch            what all its calls ask for, or "batch" where they differ
//
// A batch of more than 64 is "batch", and so is one with something among its calls
// that is none, and what one server may read in one way and another in another: two
// members of one name, in whatever case, with different values, those of GraphQL
// and of JSON-RPC side by side, or more behind what was read. The name is what the
// client wrote, as valid UTF-8.
func Operation(contentType, body []byte) (name string, ok bool) {
	read := reader(contentType)
	if read == nil || len(body) > MaxBody {
		return "", false
	}
	return told(read(body))
}

// reader reads bodies of a type; nil: none does.
func reader(contentType []byte) func([]byte) string {
	media, _, _ := bytes.Cut(contentType, semicolon)
	media = bytes.TrimSpace(media)
	const json = "json"
	switch at := len(media) - len(json); {
	case sameName(media, "application/graphql"):
		return func(body []byte) string { return documentOperation(string(body)) }
	case sameName(media, "application/x-www-form-urlencoded"):
		return func(body []byte) string { return formOperation(string(body)) }
	case len(media) == 0, at >= 0 && sameName(media[at:], json), sameName(media, "text/plain"): // many servers do not look at the type
		return jsonOperation
	}
	return nil
}

// told is a name as it is kept.
func told(name string) (string, bool) {
	name = strings.ToValidUTF8(name[:min(len(name), maxOperation)], "\ufffd")
	name = strings.ToValidUTF8(name[:min(len(name), maxOperation)], "") // it may have become longer
	return name, name != ""
}

// QueryOperation finds the operation of a GraphQL request in the query of its
// path (GraphQL over HTTP, section 6.2).
func QueryOperation(path []byte) (name string, ok bool) {
	_, query, _ := bytes.Cut(path, []byte("?"))
	query, _, _ = bytes.Cut(query, []byte("#"))
	if len(query) == 0 {
		return "", false
	}
	return told(formOperation(string(query[:min(len(query), MaxBody)])))
}

func formOperation(form string) string {
	values, _ := url.ParseQuery(form) // what can be read of it
	operation, document := values["operationName"], values["query"]
	if len(operation) > 1 || len(document) > 1 {
		return Batch
	}
	if name := strings.Join(operation, ""); name != "" {
		return name
	}
	return documentOperation(strings.Join(document, ""))
}
