package recorded

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// quick reads lines as this program writes them, several times as fast as
// encoding/json. It reads what it is sure of, and otherwise gives up (ok is
// false): then encoding/json reads the line, and says what is wrong with it. A
// fuzz test holds that both read the same.
type quick struct {
	s    string // the line; all strings of the exchange are parts of it
	i    int
	seen uint32   // members, by their place in the switch
	room []string // of headers' values
	ints []int64
}

// quickWonted reads one line of JSONL.
func quickWonted(line []byte) (r *Exchange, ok bool) {
	q := quick{s: string(line)}
	r = new(Exchange)
	if !q.next('{') {
		return nil, false
	}
	for {
		key, ok := q.text()
		if !ok || !q.next(':') || !q.member(r, key) {
			return nil, false
		}
		if q.next(',') {
			continue
		}
		if ok = q.next('}'); !ok {
			return nil, false
		}
		q.space()
		return r, q.i == len(q.s)
	}
}

// member reads the value of one member. One that is not known, or comes twice,
// is for encoding/json.
func (q *quick) member(r *Exchange, key string) (ok bool) {
	var n uint
	switch key {
	case "v":
		n, ok = 0, q.small(&r.V)
	case "time":
		n, ok = 1, q.time(&r.Time)
	case "id":
		n, ok = 2, q.string(&r.ID)
	case "method":
		n, ok = 3, q.string(&r.Method)
	case "scheme":
		n, ok = 4, q.string(&r.Scheme)
	case "host":
		n, ok = 5, q.string(&r.Host)
	case "path":
		n, ok = 6, q.string(&r.Path)
	case "protocol":
		n, ok = 7, q.string(&r.Protocol)
	case "headers":
		n, ok = 8, q.headers(&r.Headers)
	case "source":
		n, ok = 9, q.string(&r.Source)
	case "ja4":
		n, ok = 10, q.string(&r.JA4)
	case "jwt":
		n, ok = 11, q.object(&r.JWT)
	case "peer_san":
		n, ok = 12, q.string(&r.PeerSAN)
	case "metadata":
		n, ok = 13, q.object(&r.Metadata)
	case "request_bytes":
		n, ok = 14, q.integer(&r.RequestBytes)
	case "status":
		n, ok = 15, q.small(&r.Status)
	case "response_headers":
		n, ok = 16, q.headers(&r.ResponseHeaders)
	case "response_bytes":
		n, ok = 17, q.integer(&r.ResponseBytes)
	case "records":
		n, ok = 18, q.integer(&r.Records)
	case "duration_ms":
		n, ok = 19, q.decimal(&r.DurationMS)
	case "request_body":
		n, ok = 20, q.string(&r.RequestBody)
	case "end":
		n, ok = 21, q.string(&r.Ended)
	case "label":
		n, ok = 22, q.string(&r.Label)
	case "operation":
		n, ok = 23, q.string(&r.Operation)
	}
	if !ok || q.seen&(1<<n) != 0 {
		return false
	}
	q.seen |= 1 << n
	return true
}

func (q *quick) space() {
	for q.i < len(q.s) && (q.s[q.i] == ' ' || q.s[q.i] == '\t' || q.s[q.i] == '\r' || q.s[q.i] == '\n') {
		q.i++
	}
}

// next steps over c, if that is what comes next.
func (q *quick) next(c byte) bool {
	q.space()
	if q.i < len(q.s) && q.s[q.i] == c {
		q.i++
		return true
	}
	return false
}

func (q *quick) string(to *string) (ok bool) {
	*to, ok = q.text()
	return ok
}

// time reads a time in which nothing is escaped.
func (q *quick) time(to *time.Time) bool {
	s, ok := q.text()
	start := q.i - len(s) - 2 // of the quote
	return ok && q.s[start] == '"' && q.s[start+1:q.i-1] == s && to.UnmarshalText([]byte(s)) == nil
}

// text reads a string. Of escapes it knows those of two characters and those of
// single bytes of ASCII.
func (q *quick) text() (string, bool) {
	if !q.next('"') {
		return "", false
	}
	start, wide := q.i, byte(0)
	for ; q.i < len(q.s); q.i++ {
		switch c := q.s[q.i]; {
		case c == '"':
			s := q.s[start:q.i]
			q.i++
			return s, wide < utf8.RuneSelf || utf8.ValidString(s)
		case c == '\\':
			return q.escaped(start)
		case c < ' ':
			return "", false
		default:
			wide |= c
		}
	}
	return "", false
}

// escaped reads a string with an escape in it, from its start.
func (q *quick) escaped(start int) (string, bool) {
	var out strings.Builder
	out.WriteString(q.s[start:q.i])
	for q.i < len(q.s) {
		c := q.s[q.i]
		q.i++
		switch {
		case c == '"':
			return out.String(), utf8.ValidString(out.String())
		case c < ' ':
			return "", false
		case c != '\\':
			out.WriteByte(c)
		case q.i < len(q.s) && q.s[q.i] == 'u':
			n, err := strconv.ParseUint(q.s[q.i+1:min(q.i+5, len(q.s))], 16, 16)
			if err != nil || n >= utf8.RuneSelf || q.i+5 > len(q.s) {
				return "", false
			}
			out.WriteByte(byte(n))
			q.i += 5
		case q.i < len(q.s):
			at := strings.IndexByte(`"\/bfnrt`, q.s[q.i])
			if at < 0 {
				return "", false
			}
			out.WriteByte("\"\\/\b\f\n\r\t"[at])
			q.i++
		}
	}
	return "", false
}

// digits steps over the digits of a whole number as JSON has them, and returns
// where it begins; 18 of them fit in an int64.
func (q *quick) digits() (start int, ok bool) {
	q.space()
	start = q.i
	if q.i < len(q.s) && q.s[q.i] == '-' {
		q.i++
	}
	first := q.i
	for q.i < len(q.s) && q.s[q.i] >= '0' && q.s[q.i] <= '9' {
		q.i++
	}
	n := q.i - first
	return start, n == 1 || n > 1 && n <= 18 && q.s[first] != '0'
}

// whole reads a whole number, without fraction or exponent.
func (q *quick) whole() (int64, bool) {
	start, ok := q.digits()
	if !ok || q.i < len(q.s) && (q.s[q.i] == '.' || q.s[q.i]|0x20 == 'e') {
		return 0, false
	}
	n, err := strconv.ParseInt(q.s[start:q.i], 10, 64)
	return n, err == nil
}

func (q *quick) small(to *int) bool {
	n, ok := q.whole()
	*to = int(n)
	return ok
}

func (q *quick) integer(to **int64) bool {
	n, ok := q.whole()
	if q.ints == nil {
		q.ints = make([]int64, 0, 3)
	}
	q.ints = append(q.ints, n)
	*to = &q.ints[len(q.ints)-1]
	return ok
}

// decimal reads a number without an exponent.
func (q *quick) decimal(to *float64) bool {
	start, ok := q.digits()
	if !ok {
		return false
	}
	if q.i < len(q.s) && q.s[q.i] == '.' {
		q.i++
		from := q.i
		for q.i < len(q.s) && q.s[q.i] >= '0' && q.s[q.i] <= '9' {
			q.i++
		}
		if q.i == from {
			return false
		}
	}
	if q.i < len(q.s) && q.s[q.i]|0x20 == 'e' {
		return false
	}
	var err error
	*to, err = strconv.ParseFloat(q.s[start:q.i], 64)
	return err == nil
}

// headers reads an object of lists of strings.
func (q *quick) headers(to *map[string][]string) bool {
	if !q.next('{') {
		return false
	}
	*to = map[string][]string{}
	if q.next('}') {
		return true
	}
	for {
		name, ok := q.text()
		if !ok || !q.next(':') {
			return false
		}
		values, ok := q.list()
		if !ok {
			return false
		}
		(*to)[name] = values
		if !q.next(',') {
			return q.next('}')
		}
	}
}

// list reads a list of strings. Lists of a line lie side by side.
func (q *quick) list() ([]string, bool) {
	if !q.next('[') {
		return nil, false
	}
	if q.room == nil {
		q.room = make([]string, 0, 16)
	}
	from := len(q.room)
	if !q.next(']') {
		for {
			s, ok := q.text()
			if !ok {
				return nil, false
			}
			q.room = append(q.room, s)
			if !q.next(',') {
				break
			}
		}
		if !q.next(']') {
			return nil, false
		}
	}
	return q.room[from:len(q.room):len(q.room)], true
}

// object has encoding/json read an object, whose end is found by its braces.
func (q *quick) object(to any) bool {
	q.space()
	start, depth, quoted := q.i, 0, false
	if q.i >= len(q.s) || q.s[q.i] != '{' {
		return false
	}
	for ; q.i < len(q.s); q.i++ {
		switch c := q.s[q.i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			q.i++
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				q.i++
				return json.Unmarshal([]byte(q.s[start:q.i]), to) == nil
			}
		}
	}
	return false
}
