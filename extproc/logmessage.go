package extproc

import (
	"google.golang.org/grpc/mem"
)

// logMessage is one encoded StreamAccessLogsMessage, which it holds until clear.
// Its entries are walked one by one, so that however many there are, one is
// decoded at a time.
type logMessage struct {
	buf mem.Buffer
	err error // bad framing outside of the entries

	// The http_logs that count: of the oneof the last member wins, the same
	// member again is merged.
	logs []byte
}

// decode takes a reference to the data. A refusal is kept in err: an error would
// end the stream, and cost what else is on its way.
func (m *logMessage) decode(data mem.BufferSlice) {
	m.clear()
	m.buf = data.MaterializeToBuffer(buffers)
	m.err = m.walk(m.buf.ReadOnlyData())
}

func (m *logMessage) clear() {
	if m.buf != nil {
		m.buf.Free()
	}
	*m = logMessage{}
}

// walk finds where the entries begin and looks at the framing around them.
func (m *logMessage) walk(b []byte) error {
	m.logs = b
	for len(b) > 0 {
		f, rest, ok := next(b)
		if !ok {
			return errFraming
		}
		b = rest
		switch f.tag {
		case bytesTag(2):
			if !framed(f.bytes) {
				return errFraming
			}
		case bytesTag(3): // tcp_logs: what came before is forgotten
			m.logs = b
		}
	}
	return nil
}

// framed says whether b is a sequence of fields.
func framed(b []byte) bool {
	for len(b) > 0 {
		_, rest, ok := next(b)
		if !ok {
			return false
		}
		b = rest
	}
	return true
}

// entries are the encoded HTTPAccessLogEntries.
func (m *logMessage) entries(yield func([]byte) bool) {
	for b := m.logs; len(b) > 0; {
		f, rest, ok := next(b)
		if !ok {
			return
		}
		b = rest
		if f.tag != bytesTag(2) {
			continue
		}
		for logs := f.bytes; len(logs) > 0; {
			e, rest, ok := next(logs)
			if !ok {
				return
			}
			logs = rest
			if e.tag == bytesTag(1) && !yield(e.bytes) {
				return
			}
		}
	}
}
