package extproc

import (
	"bytes"
	"unicode/utf8"

	"github.com/wonted-project/wonted/scoring"
)

// maxHeaders bounds the headers of an entry that are looked at.
const maxHeaders = 256

// walkRequest reads HTTPRequestProperties. path is what the upstream was asked
// for: original_path is a header that a client can write.
func (e *logEntry) walkRequest(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		if f.tag == varintTag(12) {
			e.requestBytes = f.value
			continue
		}
		if !e.whole {
			continue
		}
		var text *[]byte
		switch f.tag {
		case varintTag(1):
			e.method = f.value
		case bytesTag(2):
			text = &e.scheme
		case bytesTag(3):
			text = &e.authority
		case bytesTag(5):
			text = &e.path
		case bytesTag(6):
			text = &e.agent
		case bytesTag(7):
			text = &e.referer
		case bytesTag(8):
			text = &e.forwarded
		case bytesTag(9):
			text = &e.requestID
		case bytesTag(13):
			name, value, err := walkTexts(f.bytes)
			if err != nil {
				return err
			}
			e.addHeader(name, value)
		}
		if text != nil {
			if *text = f.bytes; !utf8.Valid(f.bytes) {
				return errUTF8
			}
		}
	}
	return nil
}

// walkTexts reads an entry of a map from strings to strings.
func walkTexts(b []byte) (key, value []byte, err error) {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return nil, nil, errFraming
		}
		b = rest
		switch f.tag {
		case bytesTag(1):
			key = f.bytes
		case bytesTag(2):
			value = f.bytes
		default:
			continue
		}
		if !utf8.Valid(f.bytes) {
			return nil, nil, errUTF8
		}
	}
	return key, value, nil
}

// addHeader keeps an entry of the map of headers, the last of a name.
func (e *logEntry) addHeader(name, value []byte) {
	for i := range e.headers {
		if bytes.Equal(e.headers[i].Name, name) {
			e.headers[i].Value = value
			return
		}
	}
	if len(e.headers) < maxHeaders {
		e.headers = append(e.headers, scoring.Header{Name: name, Value: value})
	}
}

// walkResponse reads HTTPResponseProperties.
func (e *logEntry) walkResponse(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		switch f.tag {
		case bytesTag(1): // UInt32Value
			var code span // of the same shape, as far as its first field goes
			code.seconds = e.code
			if err := code.walk(f.bytes); err != nil {
				return err
			}
			e.code = uint64(uint32(code.seconds))
		case varintTag(3):
			e.bytes = f.value
		case bytesTag(5):
			name, value, err := walkTexts(f.bytes)
			if err != nil {
				return err
			}
			if string(name) == "grpc-status" {
				e.grpcStatus = value
			}
		case bytesTag(6):
			if e.details = f.bytes; !utf8.Valid(e.details) {
				return errUTF8
			}
		}
	}
	return nil
}
