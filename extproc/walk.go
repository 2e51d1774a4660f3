package extproc

import (
	"errors"

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

var (
	errFraming = errors.New("ext_proc message: bad framing")
	errUTF8    = errors.New("ext_proc message: a string is not UTF-8")
)

// field is one field of an encoded message. With the rest of the message and ok
// it fits into registers, which is worth a third of the walk's time.
type field struct {
	tag   uint64 // number<<3 | wire type: a known field of another wire type is an unknown one
	bytes []byte // of a length-delimited field
	value uint64 // of a varint or fixed64 field
}

// The tags of the fields that the walk reads.
func varintTag(number uint64) uint64  { return number<<3 | uint64(protowire.VarintType) }
func fixed64Tag(number uint64) uint64 { return number<<3 | uint64(protowire.Fixed64Type) }
func bytesTag(number uint64) uint64   { return number<<3 | uint64(protowire.BytesType) }

// next cuts one field off b. All that reads a message is a loop over next,
// written out: an iterator over the fields would spare each loop two lines, and
// makes the walks 7 to 15 % slower (BenchmarkWalk, BenchmarkLogWalk).
func next(b []byte) (f field, rest []byte, ok bool) {
	// Nearly every field: length-delimited, with a number below 16 and fewer
	// than 128 bytes.
	if len(b) >= 2 && b[0]&0x87 == 2 && b[0] >= 8 && b[1] < 0x80 {
		if n := 2 + int(b[1]); n <= len(b) {
			return field{tag: uint64(b[0]), bytes: b[2:n:n]}, b[n:], true
		}
		return field{}, nil, false
	}
	return nextSlow(b)
}

func nextSlow(b []byte) (f field, rest []byte, ok bool) {
	// The fields of a large message have numbers up to 2047: a tag of two bytes,
	// and a length, or a number, of one or two.
	if tag, t := short(b); t > 0 && tag >= 8 {
		v, n := short(b[t:])
		switch tag & 7 {
		case uint64(protowire.BytesType):
			if from, to := t+n, t+n+int(v); n > 0 && to <= len(b) {
				return field{tag: tag, bytes: b[from:to:to]}, b[to:], true
			}
		case uint64(protowire.VarintType):
			if n > 0 {
				return field{tag: tag, value: v}, b[t+n:], true
			}
		}
	}
	return nextAny(b)
}

// short reads a varint of at most two bytes; 0 bytes if it is none.
func short(b []byte) (v uint64, n int) {
	switch {
	case len(b) >= 1 && b[0] < 0x80:
		return uint64(b[0]), 1
	case len(b) >= 2 && b[1] < 0x80:
		return uint64(b[0]&0x7f) | uint64(b[1])<<7, 2
	}
	return 0, 0
}

func nextAny(b []byte) (f field, rest []byte, ok bool) {
	number, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		return field{}, nil, false
	}
	f.tag, b = protowire.EncodeTag(number, typ), b[n:]
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
		return field{}, nil, false
	}
	return f, b[n:], true
}

// walk reads a ProcessingRequest.
func (m *message) walk(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		var err error
		switch f.tag {
		case varintTag(10):
			m.observability = f.value != 0
		case bytesTag(2), bytesTag(3), bytesTag(4), bytesTag(5), bytesTag(6), bytesTag(7):
			err = m.walkOneof(kind(f.tag>>3), f.bytes)
		case bytesTag(8):
			err = m.walkMetadata(f.bytes)
		case bytesTag(9):
			err = m.walkAttributes(f.bytes)
		case bytesTag(11):
			err = m.walkModes(f.bytes)
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
		return m.walkHeaders(b, varintTag(3))
	case kindRequestTrailers, kindResponseTrailers:
		return m.walkHeaders(b, 0)
	default:
		return m.walkBody(b)
	}
}

// walkBody reads an HttpBody.
func (m *message) walkBody(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		switch f.tag {
		case bytesTag(1):
			m.body = f.bytes
		case varintTag(2):
			m.endOfStream = f.value != 0
		}
	}
	return nil
}

// walkModes reads a ProtocolConfiguration.
func (m *message) walkModes(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		switch f.tag {
		case varintTag(1):
			m.modes.request = bodyMode(f.value)
		case varintTag(2):
			m.modes.response = bodyMode(f.value)
		}
	}
	return nil
}
