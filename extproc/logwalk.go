package extproc

import (
	"unicode/utf8"

	"github.com/wonted-project/wonted/scoring"
)

// The walk of an encoded envoy.data.accesslog.v3.HTTPAccessLogEntry, under the
// same contract as the walk of a ProcessingRequest (see walk.go). An entry has
// some hundred fields; those that are not read are stepped over.

// walk reads an HTTPAccessLogEntry.
func (e *logEntry) walk(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		var err error
		switch f.tag {
		case bytesTag(1):
			err = e.walkCommon(f.bytes)
		case varintTag(2):
			e.protocol = f.value
		case bytesTag(3):
			err = e.walkRequest(f.bytes)
		case bytesTag(4):
			err = e.walkResponse(f.bytes)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// walkCommon reads AccessLogCommon.
func (e *logEntry) walkCommon(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		var err error
		switch f.tag {
		case bytesTag(2):
			if e.whole {
				err = e.remote.walk(f.bytes)
			}
		case bytesTag(12):
			err = e.sent.walk(f.bytes)
		case bytesTag(16):
			err = e.walkFlags(f.bytes)
		case bytesTag(17):
			err = e.walkMetadata(f.bytes)
		case bytesTag(22):
			if e.whole {
				err = e.walkTag(f.bytes)
			}
		case bytesTag(23):
			err = e.duration.walk(f.bytes)
		case varintTag(24):
			e.attempts = uint64(uint32(f.value))
		case varintTag(27):
			e.intermediate = f.value != 0
		case varintTag(33):
			e.kind = uint64(uint32(f.value))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// walkTag reads an entry of the map of custom tags. Ours has the name that the
// fingerprint has as gRPC metadata.
func (e *logEntry) walkTag(b []byte) error {
	name, value, err := walkTexts(b)
	if string(name) == ja4Key {
		e.ja4 = value
	}
	return err
}

// walk reads a Duration.
func (s *span) walk(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		switch f.tag {
		case varintTag(1):
			s.seconds = f.value
		case varintTag(2):
			s.nanos = uint64(uint32(f.value))
		}
	}
	return nil
}

// walk reads an Address: the oneof's last member wins, the same again is merged.
func (a *address) walk(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		switch f.tag {
		case bytesTag(1):
			if err := a.walkSocket(f.bytes); err != nil {
				return err
			}
		case bytesTag(2), bytesTag(3): // a pipe, or Envoy itself
			*a = address{}
		}
	}
	return nil
}

// walkSocket reads a SocketAddress. A named port is none.
func (a *address) walkSocket(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		switch f.tag {
		case bytesTag(2):
			if a.host = f.bytes; !utf8.Valid(a.host) {
				return errUTF8
			}
		case varintTag(3):
			a.port = uint64(uint32(f.value))
		case bytesTag(4):
			a.port = 0
		}
	}
	return nil
}

// walkFlags reads ResponseFlags, nearly all of whose fields are bools.
func (e *logEntry) walkFlags(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		if number := f.tag >> 3; f.tag == varintTag(number) && number < 64 {
			e.flags &^= 1 << number
			if f.value != 0 {
				e.flags |= 1 << number
			}
		}
	}
	return nil
}

// walkMetadata reads the filter_metadata of a core.v3.Metadata: ours, and where
// the whole entry is read all others, for identity rules.
func (e *logEntry) walkMetadata(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		if f.tag != bytesTag(1) {
			continue
		}
		name, value, err := walkEntry(f.bytes)
		if err != nil {
			return err
		}
		if string(name) == namespace {
			if err := e.walkMark(value); err != nil {
				return err
			}
			continue
		}
		if !e.whole {
			continue
		}
		e.metadata = setNamespace(e.metadata, scoring.Namespace{Name: name, Struct: value})
	}
	return nil
}

// walkMark reads what our answer has left in the metadata.
func (e *logEntry) walkMark(b []byte) error {
	e.marked, e.decided, e.awaited = false, false, false // an entry given twice: the last wins, whole
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		if f.tag != bytesTag(1) {
			continue
		}
		name, encoded, err := walkEntry(f.bytes)
		if err != nil {
			return err
		}
		switch string(name) {
		case "id", "awaited":
		case "action":
			e.decided = true
			continue
		default:
			continue
		}
		v, err := walkValue(encoded)
		if err != nil {
			return err
		}
		if string(name) == "id" {
			e.setID(v.text)
		} else {
			e.awaited = v.truth
		}
	}
	return nil
}
