package extproc

import (
	"unicode/utf8"

	"github.com/wonted-project/wonted/scoring"
)

// walkHeaders reads HttpHeaders, whose end_of_stream has the tag eos, or
// HttpTrailers, which has none (eos 0). Both hold their HeaderMap in field 1.
func (m *message) walkHeaders(b []byte, eos uint64) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		switch f.tag {
		case bytesTag(1):
			if err := m.walkHeaderMap(f.bytes); err != nil {
				return err
			}
		case eos:
			m.endOfStream = f.value != 0
		}
	}
	return nil
}

// walkHeaderMap reads a HeaderMap; a second one adds its lines to the first's.
func (m *message) walkHeaderMap(b []byte) error {
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		if f.tag != bytesTag(1) {
			continue
		}
		if err := m.walkHeader(f.bytes); err != nil {
			return err
		}
	}
	return nil
}

// walkHeader reads a HeaderValue. Envoy sends raw_value and leaves value empty
// (a header need not be UTF-8); other senders may do the opposite.
func (m *message) walkHeader(b []byte) error {
	var name, value, raw []byte
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		switch f.tag {
		case bytesTag(1):
			name = f.bytes
			if !utf8.Valid(name) {
				return errUTF8
			}
		case bytesTag(2):
			value = f.bytes
			if !utf8.Valid(value) {
				return errUTF8
			}
		case bytesTag(3):
			raw = f.bytes
		}
	}
	if len(raw) == 0 {
		raw = value
	}
	m.addHeader(scoring.Header{Name: name, Value: raw})
	return nil
}

// addHeader sorts a header line: the five pseudo headers that wonted knows are
// fields, the last of a name wins; all others are lines in wire order.
func (m *message) addHeader(h scoring.Header) {
	if len(h.Name) == 0 || h.Name[0] != ':' {
		m.headers = append(m.headers, h)
		return
	}
	switch string(h.Name) {
	case ":method":
		m.pseudo.method = h.Value
	case ":scheme":
		m.pseudo.scheme = h.Value
	case ":authority":
		m.pseudo.authority = h.Value
	case ":path":
		m.pseudo.path = h.Value
	case ":status":
		m.pseudo.status = h.Value
	default:
		m.headers = append(m.headers, h)
	}
}

// header is the value of the first line of that name, nil where there is none.
func (m *message) header(name string) []byte {
	for i := range m.headers {
		if string(m.headers[i].Name) == name {
			return m.headers[i].Value
		}
	}
	return nil
}
