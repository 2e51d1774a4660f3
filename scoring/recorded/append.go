package recorded

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/wonted-project/wonted/scoring"
)

// Vouched is something that the proxy vouches for and an identity rule or a
// policy reads: no more of a token is kept than that.
type Vouched struct {
	Namespace string // of metadata; "" of verified claims
	Path      string // "sub", "realm.user"; "" is the certificate's name
	Value     []byte
	Name      bool // it is shown to people as a name or no secret, and kept readable
}

// Rest is what a line says that is not in the exchange at its end.
type Rest struct {
	Declared int64 // body size by the response headers; -1 none
	End      scoring.End
	Vouched  []Vouched
}

// Append appends the exchange as one line of JSONL, with its end of line and
// without its secrets. Bodies are not recorded, but for what a sign-in's stands
// for, see appendSignIn, and the operation that one has asked for. It keeps
// nothing of ex.
//
// Of the response headers only the size is known here: content-length with the
// size that was declared, or without a value where none was.
func (r *Redactor) Append(b []byte, ex *scoring.Exchange, rest Rest) []byte {
	var room [1024]byte
	b = append(b, `{"v":1,"time":"`...)
	b = ex.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","id":"`...)
	b = appendHex(b, ex.ID[:])
	b = append(b, `","method":`...)
	b = appendString(b, or(ex.Method, "-"))
	b = appendText(b, `,"scheme":`, ex.Scheme)
	b = appendText(b, `,"host":`, r.host(room[:0], ex.Host))
	b = append(b, `,"path":`...)
	b = appendString(b, or(r.text(room[:0], ex.Path), "/"))
	b = appendText(b, `,"protocol":`, ex.Protocol)
	b = r.appendHeaders(b, ex.Headers)
	b = appendText(b, `,"source":`, ex.Source)
	b = appendText(b, `,"ja4":`, ex.JA4)
	b = r.appendVouched(b, rest.Vouched)
	b = appendSize(b, `,"request_bytes":`, ex.RequestBytes)
	b = appendSignIn(b, &ex.SignIn)
	if ex.Operation != "" {
		b = appendText(b, `,"operation":`, r.piece(room[:0], []byte(ex.Operation)))
	}

	status := min(ex.Status, 599)
	if status < 100 {
		status = 0
	}
	b = strconv.AppendInt(append(b, `,"status":`...), int64(status), 10)
	if status != 0 {
		b = append(b, `,"response_headers":{"content-length":[`...)
		if rest.Declared >= 0 {
			b = append(b, '"')
			b = strconv.AppendInt(b, rest.Declared, 10)
			b = append(b, '"')
		}
		b = append(b, `]}`...)
		b = appendSize(b, `,"response_bytes":`, ex.ResponseBytes)
		b = appendSize(b, `,"records":`, ex.Records)
	}
	if ex.Duration > 0 {
		b = strconv.AppendFloat(append(b, `,"duration_ms":`...), float64(ex.Duration)/float64(time.Millisecond), 'f', 3, 64)
	}
	if word := endWord(rest.End, status); word != "" {
		b = append(append(append(b, `,"end":"`...), word...), '"')
	}
	return append(b, "}\n"...)
}

// appendHeaders groups lines of one name, in the order in which they came.
func (r *Redactor) appendHeaders(b []byte, headers []scoring.Header) []byte {
	if len(headers) == 0 {
		return b
	}
	var room [1024]byte
	b = append(b, `,"headers":{`...)
	first := true
	for i := range headers {
		name := headers[i].Name
		if before(headers[:i], name) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, name), ":["...)
		for j := i; j < len(headers); j++ {
			if h := &headers[j]; string(h.Name) == string(name) {
				if j > i {
					b = append(b, ',')
				}
				b = appendString(b, r.header(room[:0], name, h.Value))
			}
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func before(headers []scoring.Header, name []byte) bool {
	for i := range headers {
		if string(headers[i].Name) == string(name) {
			return true
		}
	}
	return false
}

// appendVouched writes claims, certificate and metadata: what names somebody as
// a hash, what is his name as it is.
func (r *Redactor) appendVouched(b []byte, all []Vouched) []byte {
	b = r.appendMembers(b, `,"jwt":{`, all, func(v *Vouched) bool { return v.Namespace == "" && v.Path != "" })
	for i := range all {
		if v := &all[i]; v.Path == "" {
			b = append(b, `,"peer_san":`...)
			b = appendString(b, r.hash(nil, v.Value))
			break
		}
	}
	open := false
	for i := range all {
		space := all[i].Namespace
		if space == "" || inNamespace(all[:i], space) {
			continue
		}
		if !open {
			b = append(b, `,"metadata":{`...)
			open = true
		} else {
			b = append(b, ',')
		}
		b = append(appendString(b, []byte(space)), ':')
		b = r.appendMembers(b, `{`, all, func(v *Vouched) bool { return v.Namespace == space })
	}
	if open {
		b = append(b, '}')
	}
	return b
}

func inNamespace(all []Vouched, space string) bool {
	for i := range all {
		if all[i].Namespace == space {
			return true
		}
	}
	return false
}

// appendMembers writes an object, if it has members. What is both an identity
// and somebody's name is an identity.
func (r *Redactor) appendMembers(b []byte, start string, all []Vouched, belongs func(*Vouched) bool) []byte {
	next := start
	for i := range all {
		v := &all[i]
		if !belongs(v) || repeats(all, i) {
			continue
		}
		b = append(b, next...)
		next = ","
		b = append(appendString(b, []byte(v.Path)), ':')
		if v.Name {
			b = appendString(b, v.Value)
		} else {
			b = appendString(b, r.hash(nil, v.Value))
		}
	}
	if next == start {
		return b
	}
	return append(b, '}')
}

// repeats says whether another entry speaks for all[i]: an identity before a
// name, else the earlier.
func repeats(all []Vouched, i int) bool {
	for j := range all {
		if o := &all[j]; j != i && o.Namespace == all[i].Namespace && o.Path == all[i].Path &&
			(o.Name == all[i].Name && j < i || !o.Name && all[i].Name) {
			return true
		}
	}
	return false
}

func or(b []byte, otherwise string) []byte {
	if len(b) == 0 {
		return []byte(otherwise)
	}
	return b
}

func appendText(b []byte, key string, value []byte) []byte {
	if len(value) == 0 {
		return b
	}
	return appendString(append(b, key...), value)
}

func appendSize(b []byte, key string, n int64) []byte {
	if n < 0 {
		return b
	}
	return strconv.AppendInt(append(b, key...), n, 10)
}

const digits = "0123456789abcdef"

func appendHex(b, id []byte) []byte {
	for _, c := range id {
		b = append(b, digits[c>>4], digits[c&15])
	}
	return b
}

// appendString quotes for JSON (RFC 8259, 7). Bytes that are no UTF-8 become
// U+FFFD, as encoding/json has it.
func appendString(b, s []byte) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		n := 1
		if c >= utf8.RuneSelf {
			var char rune
			if char, n = utf8.DecodeRune(s[i:]); char != utf8.RuneError || n > 1 {
				i += n
				continue
			}
		}
		b = append(b, s[from:i]...)
		switch {
		case c == '"', c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			b = utf8.AppendRune(b, utf8.RuneError)
		}
		i += n
		from = i
	}
	return append(append(b, s[from:]...), '"')
}
