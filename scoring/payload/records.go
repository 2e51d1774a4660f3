// Package payload looks into bodies as they pass. Today it counts records, so
// that "10,000 records where 10 are usual" is known while the response is still
// on its way; nothing is buffered, whatever the body's size.
//
// It may import scoring, and needs nothing of it yet. Start reading at
// [RecordMeter].
package payload

import "bytes"

// RecordMeter counts the records of one JSON body, chunk by chunk. The zero
// meter cannot tell; Reset makes it ready. It allocates nothing, and gives the
// same count however the body is cut into chunks.
//
// What is a record? An array that is not inside another array holds records:
// the body itself, or a member at any depth of objects. All such arrays count
// together, since who asks chooses the shape of the answer: 50 aliases of a
// GraphQL query with 200 orders each are 10,000 orders. For the same reason no
// batch hides what is in it: the arrays inside one element of an array count
// together as well, and so on through [levels] arrays, and the largest of all
// these counts is the body's. A body without any array is one record. Where
// several values follow each other (NDJSON, JSON text sequences) each is a
// record, and there are never fewer than their arrays hold by the same rule.
//
// The count tells more or less of the same thing, not what an API's owner would
// call a record: {"id":1,"tags":["a","b"]} is 2, and so is [{"tags":["a","b"]}].
// What is usual for a caller is counted the same way. The elements of two lists
// in two elements do not add up, or a page of orders would be as many records as
// the orders have lines; of a batch of a hundred pages of a hundred, only the
// body's size tells.
//
// Elements count as they begin, so what a cut response has let through is in
// the count. Text that turns out not to be JSON stops the counting; before the
// first value it makes the meter unable to tell.
//
// The meter is a state machine over depths, not a parser: it trusts nesting to
// be well-formed, and needs no stack, however deep.
type RecordMeter struct {
	format format
	state  state
	broken bool // not JSON from here on
	expect bool // at `top`: the next value is an element not counted yet

	depth int64 // open brackets and braces
	top   int64 // depth inside the innermost open array that counts; 0: in none

	open int           // arrays open that count, each inside the one before
	tops [levels]int64 // the depths inside them
	sums [levels]int64 // elements begun, by how many arrays theirs is inside of: of the outermost all, of the others those in the open element

	values int64 // values begun outside everything
	closed int64 // of them, objects and arrays that ended
	arrays bool  // there was an outermost array
	most   int64 // the largest sum that has counted
}

// levels is through how many arrays the records are looked for: a batch, in an
// envelope, in a page, and one to spare.
const levels = 4

type state uint8

const (
	between state = iota
	scalar        // inside a number, true, false or null
	text          // inside a string
	escaped       // inside a string, after a backslash
)

// Reset makes the meter ready for a response with these headers.
func (m *RecordMeter) Reset(contentType, contentEncoding []byte) {
	*m = RecordMeter{}
	if plain(contentEncoding) {
		m.format = formatOf(contentType)
	}
}

// Records is the count so far, -1 where it cannot be told: not JSON, or
// compressed. It never falls while a body passes, but for becoming -1 at its
// very first character.
func (m *RecordMeter) Records() int64 {
	if m.format == opaque || m.broken && m.values == 0 {
		return -1
	}
	switch {
	case m.format == sequence || m.values > 1:
		return max(m.most, m.values)
	case m.arrays:
		return m.most
	case m.state == scalar && m.depth == 0:
		return m.values // a number has no end mark
	}
	return m.closed // one value without an array counts when it is whole
}

// class says what a byte means outside strings.
type class uint8

const (
	other  class = iota // part of a number or a word
	space               // white space, BOM, separators, control characters
	quote               // "
	opener              // { (and [, see array)
	array               // [
	closer              // } ]
	comma               // ,
	colon               // :
)

var classes = func() (t [256]class) {
	for c := range t {
		if c <= ' ' || c >= 0x7f {
			t[c] = space // JSON has nothing of it outside strings
		}
	}
	t['"'], t['{'], t['['], t[','], t[':'] = quote, opener, array, comma, colon
	t['}'], t[']'] = closer, closer
	return t
}()

// Write meters one chunk. It keeps nothing of it.
func (m *RecordMeter) Write(chunk []byte) {
	if m.format == opaque || m.broken {
		return
	}
	for len(chunk) > 0 {
		switch m.state {
		case text:
			chunk = m.string(chunk)
		case escaped:
			chunk, m.state = chunk[1:], text
		default:
			chunk = m.structure(chunk)
		}
		if m.broken {
			return
		}
	}
}

// string goes on to the end of a string. A quote behind an odd number of
// backslashes does not end it; one at the very beginning of the chunk has its
// backslashes, if any, accounted for in the state.
func (m *RecordMeter) string(b []byte) []byte {
	for start := 0; ; {
		i := bytes.IndexByte(b[start:], '"')
		if i < 0 {
			if backslashes(b[start:])&1 == 1 {
				m.state = escaped
			}
			return nil
		}
		odd := backslashes(b[start:start+i])&1 == 1
		start += i + 1
		if !odd {
			m.state = between
			if m.depth == 0 {
				m.closed++
			}
			return b[start:]
		}
	}
}

// backslashes is how many b ends with.
func backslashes(b []byte) (n int) {
	for n < len(b) && b[len(b)-1-n] == '\\' {
		n++
	}
	return n
}

// structure goes on to the next string, or to the end of the chunk.
func (m *RecordMeter) structure(b []byte) []byte {
	for i := 0; i < len(b); i++ {
		c := classes[b[i]]
		if c == other {
			if m.state == between {
				m.state = scalar
				m.begin(b[i])
				if m.broken {
					return nil
				}
			}
			continue
		}
		if m.state == scalar {
			m.state = between
			if m.depth == 0 {
				m.closed++
			}
		}
		switch c {
		case quote:
			m.begin('"')
			m.state = text
			return b[i+1:]
		case opener:
			m.begin('{')
			m.depth++
		case array:
			m.begin('[')
			m.depth++
			m.enter()
		case closer:
			m.end()
		case comma:
			if m.depth == m.top && m.top > 0 {
				m.expect = true
			}
		}
		if m.broken {
			return nil
		}
	}
	return nil
}

// begin counts a value, where it is one that counts.
func (m *RecordMeter) begin(first byte) {
	switch {
	case m.depth == 0:
		if !opens(first) {
			m.broken = true
			return
		}
		m.values++
	case m.expect && m.depth == m.top:
		m.expect = false
		sums := m.sums[m.open-1:]
		sums[0]++
		clear(sums[1:]) // what is inside this element begins with nothing
		m.most = max(m.most, sums[0])
	}
}

// enter goes into an array, if it is one that counts.
func (m *RecordMeter) enter() {
	if m.open == levels {
		return
	}
	m.tops[m.open] = m.depth
	m.open++
	m.top, m.arrays, m.expect = m.depth, true, true
}

// opens says whether a JSON value can begin so.
func opens(c byte) bool {
	switch c {
	case '{', '[', '"', '-', 't', 'f', 'n':
		return true
	}
	return c >= '0' && c <= '9'
}

// end closes a bracket or a brace.
func (m *RecordMeter) end() {
	if m.depth == 0 {
		m.broken = true
		return
	}
	if m.depth == m.top {
		m.leave()
	}
	if m.depth--; m.depth == 0 {
		m.closed++
	}
}

// leave goes out of the innermost array that counts. The element of the array
// around it that it was, or was in, has been counted.
func (m *RecordMeter) leave() {
	m.open--
	m.top, m.expect = 0, false
	if m.open > 0 {
		m.top = m.tops[m.open-1]
	}
}
