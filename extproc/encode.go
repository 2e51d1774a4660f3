package extproc

import (
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/wonted-project/wonted/policy"
)

// Encoding by append: each function writes one message of the protocol, named
// after it, and returns the extended slice. Fields at their zero value are left
// out, as proto does.

// nest appends field number with the message that fill writes. Its length is
// known only afterwards, so the contents move up to make room for it.
func nest(b []byte, number protowire.Number, fill func([]byte) []byte) []byte {
	b = protowire.AppendTag(b, number, protowire.BytesType)
	at := len(b)
	b = fill(b)
	n := len(b) - at
	var length [10]byte
	l := protowire.AppendVarint(length[:0], uint64(n))
	b = append(b, l...)
	copy(b[at+len(l):], b[at:at+n])
	copy(b[at:], l)
	return b
}

func appendString[T string | []byte](b []byte, number protowire.Number, s T) []byte {
	b = protowire.AppendTag(b, number, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendVarint(b []byte, number protowire.Number, v uint64) []byte {
	b = protowire.AppendTag(b, number, protowire.VarintType)
	return protowire.AppendVarint(b, v)
}

// mode is the part of a ProcessingMode that wonted overrides. What it leaves
// out is the filter's own for header phases, but NONE for bodies.
type mode uint8

const (
	modeKept      mode = iota // no override
	modeHeaders               // response headers SEND
	modeBody                  // and request body STREAMED, trailers SEND
	modeWhole                 // and request body BUFFERED, trailers SEND
	modeStreaming             // and response body STREAMED, trailers SEND
)

// appendMode appends mode_override (field 9 of ProcessingResponse). It works
// only beside the answer to a headers message. The response body is never asked for as
// BUFFERED: given at the response headers, Envoy hangs on one over its limit.
// Trailers are asked for because they end a body without a last chunk.
func appendMode(b []byte, m mode) []byte {
	if m == modeKept {
		return b
	}
	return nest(b, 9, func(b []byte) []byte {
		b = appendVarint(b, 2, 1) // response_header_mode: SEND
		switch m {
		case modeBody:
			b = appendVarint(b, 3, 1) // request_body_mode: STREAMED
			b = appendVarint(b, 5, 1) // request_trailer_mode: SEND
		case modeWhole:
			b = appendVarint(b, 3, 2) // request_body_mode: BUFFERED
			b = appendVarint(b, 5, 1) // request_trailer_mode: SEND
		case modeStreaming:
			b = appendVarint(b, 4, 1) // response_body_mode: STREAMED
			b = appendVarint(b, 6, 1) // response_trailer_mode: SEND
		}
		return b
	})
}

// namespace is where the verdict stands in Envoy's dynamic metadata.
const namespace = "wonted"

// mark is what the proxy's access log and later filters get to know of a
// verdict.
type mark struct {
	id     []byte // 32 hex digits
	score  float64
	action policy.Action
	mode   policy.Mode
	class  string // "" where allowed
	ending ending
	more   []policy.HeaderRule // what the policy adds
}

// ending is what the metadata says about where the exchange's end is awaited from:
// nothing, as long as that is the stream.
type ending uint8

const (
	endUntold  ending = iota
	endAwaited        // from the access log
	endSeen           // not from the access log, although that was said
)

func endOf(awaited, before bool) ending {
	switch {
	case awaited:
		return endAwaited
	case before:
		return endSeen
	}
	return endUntold
}

// appendMark appends dynamic_metadata (field 8 of ProcessingResponse). Where
// nothing is decided it is the id alone.
func appendMark(b []byte, m *mark) []byte {
	return nest(b, 8, func(b []byte) []byte {
		return appendEntry(b, namespace, func(b []byte) []byte {
			return nest(b, 5, func(b []byte) []byte { // struct_value
				b = appendText(b, "id", m.id)
				if m.action == policy.Undecided {
					return b
				}
				b = appendNumber(b, "score", m.score)
				b = appendText(b, "action", m.action.String())
				b = appendText(b, "mode", m.mode.String())
				if m.class != "" {
					b = appendText(b, "class", m.class)
				}
				if m.ending != endUntold {
					b = appendBool(b, "awaited", m.ending == endAwaited)
				}
				for i := range m.more {
					b = appendText(b, m.more[i].Name, strings.ToValidUTF8(clean(m.more[i].Value), ""))
				}
				return b
			})
		})
	})
}

// appendEntry appends one entry of a Struct; fill writes the Value.
func appendEntry(b []byte, key string, fill func([]byte) []byte) []byte {
	return nest(b, 1, func(b []byte) []byte {
		b = appendString(b, 1, key)
		return nest(b, 2, fill)
	})
}

func appendText[T string | []byte](b []byte, key string, s T) []byte {
	return appendEntry(b, key, func(b []byte) []byte { return appendString(b, 3, s) })
}

// appendBool writes false out: of a oneof the zero value is a value.
func appendBool(b []byte, key string, v bool) []byte {
	return appendEntry(b, key, func(b []byte) []byte { return appendVarint(b, 4, protowire.EncodeBool(v)) })
}

func appendNumber(b []byte, key string, v float64) []byte {
	return appendEntry(b, key, func(b []byte) []byte {
		b = protowire.AppendTag(b, 2, protowire.Fixed64Type)
		return protowire.AppendFixed64(b, math.Float64bits(v))
	})
}

// appendMutation appends a HeaderMutation as field number: removals first, as
// Envoy applies them. append_action OVERWRITE_IF_EXISTS_OR_ADD says what Envoy
// does anyway: a client's copy of a header that we set is replaced.
func appendMutation(b []byte, number protowire.Number, mu *mutation) []byte {
	return nest(b, number, func(b []byte) []byte {
		for i := range mu.set {
			h := &mu.set[i]
			b = nest(b, 1, func(b []byte) []byte {
				b = nest(b, 1, func(b []byte) []byte {
					b = appendString(b, 1, h.name)
					return appendString(b, 3, h.value)
				})
				return appendVarint(b, 3, 2)
			})
		}
		for _, name := range mu.remove {
			b = appendString(b, 2, name)
		}
		return b
	})
}
