package extproc

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/wonted-project/wonted/scoring"
)

// walkHeaders reads HttpHeaders, whose field eos is end_of_stream, or
// HttpTrailers, which has none (eos 0). Both hold their HeaderMap in field 1.
func (m *message) walkHeaders(b []byte, eos protowire.Number) error {
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return err
		}
		b = rest
		switch {
		case f.is(1, protowire.BytesType):
			err = m.walkHeaderMap(f.bytes)
		case f.is(eos, protowire.VarintType):
			m.endOfStream = f.value != 0
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// walkHeaderMap reads a HeaderMap; a second one adds its lines to the first's.
func (m *message) walkHeaderMap(b []byte) error {
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return err
		}
		b = rest
		if !f.is(1, protowire.BytesType) {
			continue
		}
		h, err := walkHeader(f.bytes)
		if err != nil {
			return err
		}
		m.addHeader(h)
	}
	return nil
}

// walkHeader reads a HeaderValue. Envoy sends raw_value and leaves value empty
// (a header need not be UTF-8); other senders may do the opposite.
func walkHeader(b []byte) (scoring.Header, error) {
	var h scoring.Header
	var value []byte
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return h, err
		}
		b = rest
		if f.typ != protowire.BytesType {
			continue
		}
		switch f.number {
		case 1:
			h.Name, err = f.text()
		case 2:
			value, err = f.text()
		case 3:
			h.Value = f.bytes
		}
		if err != nil {
			return h, err
		}
	}
	if len(h.Value) == 0 {
		h.Value = value
	}
	return h, nil
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
