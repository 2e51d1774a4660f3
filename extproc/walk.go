package extproc

import (
	"errors"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// The walk reads an encoded envoy.service.ext_proc.v3.ProcessingRequest into a
// message without the generated types, which take ten times as long and 80
// allocations. Its contract, held by FuzzWalk: what proto.Unmarshal accepts the
// walk accepts, and every field that it reads agrees with proto's. In
// particular, as in proto:
//
//   - fields come in any order, unknown ones and known ones of another wire
//     type are skipped;
//   - of a oneof the last member wins, the same member again is merged;
//   - a repeated singular message is merged, a repeated scalar is replaced;
//   - a map entry may have its key and value in any order, more than once or
//     not at all, and of entries with one key the last wins.
//
// By itself the walk refuses bad framing, and bad UTF-8 in the strings it
// reads. It may accept what proto refuses inside fields that it skips.

var errUTF8 = errors.New("ext_proc message: a string is not UTF-8")

// field is one field of an encoded message.
type field struct {
	number protowire.Number
	typ    protowire.Type
	bytes  []byte // of BytesType
	value  uint64 // of VarintType and Fixed64Type
}

// next cuts one field off b. All that reads a message is a loop over next.
func next(b []byte) (f field, rest []byte, err error) {
	number, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		return f, nil, protowire.ParseError(n)
	}
	f.number, f.typ, b = number, typ, b[n:]
	switch typ {
	case protowire.BytesType:
		f.bytes, n = protowire.ConsumeBytes(b)
	case protowire.VarintType:
		f.value, n = protowire.ConsumeVarint(b)
	case protowire.Fixed64Type:
		f.value, n = protowire.ConsumeFixed64(b)
	default: // groups are skipped whole, whatever they hold
		n = protowire.ConsumeFieldValue(number, typ, b)
	}
	if n < 0 {
		return f, nil, protowire.ParseError(n)
	}
	return f, b[n:], nil
}

// is tells a known field from an unknown one: number and wire type must fit.
func (f *field) is(number protowire.Number, typ protowire.Type) bool {
	return f.number == number && f.typ == typ
}

// text is the value of a string field.
func (f *field) text() ([]byte, error) {
	if !utf8.Valid(f.bytes) {
		return nil, errUTF8
	}
	return f.bytes, nil
}

// walk reads a ProcessingRequest.
func (m *message) walk(b []byte) error {
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return err
		}
		b = rest
		switch {
		case f.is(10, protowire.VarintType):
			m.observability = f.value != 0
		case f.typ != protowire.BytesType:
		case f.number >= 2 && f.number <= 7:
			err = m.walkOneof(kind(f.number), f.bytes)
		case f.number == 8:
			err = m.walkMetadata(f.bytes)
		case f.number == 9:
			err = m.walkAttributes(f.bytes)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// walkOneof reads the member of the oneof that the message is about.
func (m *message) walkOneof(k kind, b []byte) error {
	if k != m.kind { // another member before this one is forgotten
		m.kind = k
		m.pseudo = pseudo{}
		m.headers = m.headers[:0]
		m.body = nil
		m.endOfStream = false
	}
	switch k {
	case kindRequestHeaders, kindResponseHeaders:
		return m.walkHeaders(b, 3)
	case kindRequestTrailers, kindResponseTrailers:
		return m.walkHeaders(b, 0)
	default:
		return m.walkBody(b)
	}
}

// walkBody reads an HttpBody.
func (m *message) walkBody(b []byte) error {
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return err
		}
		b = rest
		switch {
		case f.is(1, protowire.BytesType):
			m.body = f.bytes
		case f.is(2, protowire.VarintType):
			m.endOfStream = f.value != 0
		}
	}
	return nil
}
