package payload

import "bytes"

// format is what a body is made of, as far as records are concerned.
type format uint8

const (
	opaque   format = iota // cannot tell
	document               // one JSON value
	sequence               // JSON values one after the other
)

// formatOf reads a content type, with or without parameters. A structured
// suffix counts: application/vnd.api+json is JSON.
func formatOf(contentType []byte) format {
	if i := bytes.IndexByte(contentType, ';'); i >= 0 {
		contentType = contentType[:i]
	}
	contentType = bytes.TrimSpace(contentType)
	for _, m := range [...]struct {
		name   string
		format format
	}{
		{"application/json", document},
		{"text/json", document},
		{"application/x-ndjson", sequence},
		{"application/ndjson", sequence},
		{"application/jsonl", sequence},
		{"application/x-jsonl", sequence},
		{"application/jsonlines", sequence},
		{"application/x-jsonlines", sequence},
		{"application/json-lines", sequence},
		{"application/json-seq", sequence},
		{"application/stream+json", sequence},
	} {
		if len(contentType) == len(m.name) && bytes.EqualFold(contentType, []byte(m.name)) {
			return m.format
		}
	}
	const json, seq = "+json", "+json-seq"
	switch n := len(contentType); {
	case n > len(seq) && bytes.EqualFold(contentType[n-len(seq):], []byte(seq)):
		return sequence
	case n > len(json) && bytes.EqualFold(contentType[n-len(json):], []byte(json)):
		return document
	}
	return opaque
}

// plain says that a content encoding changes nothing.
func plain(contentEncoding []byte) bool {
	e := bytes.TrimSpace(contentEncoding)
	return len(e) == 0 || bytes.EqualFold(e, []byte("identity"))
}
