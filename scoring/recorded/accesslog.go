package recorded

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Servers' access logs in the Common and Combined Log Format (Apache,
// mod_log_config; nginx, ngx_http_log_module):
//
//	host ident user [10/Oct/2026:13:55:36 -0700] "GET /a HTTP/1.1" 200 2326 "referer" "user agent"
//
// with what people add to them: the virtual host before the host (Apache's
// vhost_combined); a third quoted field, nginx's X-Forwarded-For; and numbers
// behind, see [extras]. What the server has escaped in quoted fields is taken
// back. "-" is nothing.

// In an access log the server says who has signed in to it, and where host
// names are looked up, who has called. Both are metadata under this name, so
// that identity rules read them: "access_log:user", "access_log:host".
const (
	LogNamespace = "access_log"
	LogUser      = "user"
	LogHost      = "host"
)

var errNoAccessLog = errors.New(`not a line of an access log, which reads: host ident user [time] "request" status bytes`)

// logLine is a line cut into its fields.
type logLine struct {
	who    []byte // vhost, host, ident and user
	time   []byte
	status []byte
	size   []byte
	quoted []string // behind the size: referer, user agent, forwarded for
	plain  []string // behind the size, without quotes
}

// cutAccessLog cuts a line where the request and the fields behind it begin.
func cutAccessLog(line []byte) (request string, l logLine, err error) {
	begin, end := timeField(line)
	if end < 0 {
		return "", l, errNoAccessLog
	}
	l.who, l.time = line[:begin-2], line[begin:end]
	request, rest, ok := quotedField(line[end+2:])
	if !ok {
		return "", l, errors.New("the request has no end: the line breaks off")
	}
	l.status, rest = field(rest)
	l.size, rest = field(rest)
	if len(l.size) == 0 {
		return "", l, errors.New("status or size is missing: the line breaks off")
	}
	for len(rest) > 0 && len(l.quoted)+len(l.plain) < maxExtras {
		if rest[0] == '"' {
			var text string
			if text, rest, ok = quotedField(rest); !ok {
				return "", l, errors.New("a field has no closing quote: the line breaks off")
			}
			l.quoted = append(l.quoted, text)
			continue
		}
		var word []byte
		if word, rest = field(rest); len(word) > 0 {
			l.plain = append(l.plain, string(word))
		}
	}
	return request, l, nil
}

// timeField is where the time in brackets stands: before a quote. A user may
// have brackets and quotes in his name, so it begins with a digit.
func timeField(line []byte) (begin, end int) {
	for from := 0; ; from = end + 1 {
		if end = bytes.Index(line[from:], []byte(`] "`)); end < 0 {
			return 0, -1
		}
		end += from
		begin = bytes.LastIndex(line[:end], []byte(" [")) + 2
		if begin >= 2 && begin < end && line[begin] >= '0' && line[begin] <= '9' {
			return begin, end
		}
	}
}

// maxExtras bounds the fields behind the size that are looked at.
const maxExtras = 16

// field cuts at the next space, and takes spaces off what is behind.
func field(b []byte) (word, rest []byte) {
	b = bytes.TrimLeft(b, " ")
	if i := bytes.IndexByte(b, ' '); i >= 0 {
		return b[:i], bytes.TrimLeft(b[i:], " ")
	}
	return b, nil
}

// quotedField reads a field in quotes, and takes back what Apache and nginx
// escape: quotes, backslashes, control characters, \xhh.
func quotedField(b []byte) (text string, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return "", nil, false
	}
	b = b[1:]
	end := bytes.IndexAny(b, `"\`)
	if end >= 0 && b[end] == '"' { // as almost always
		return string(b[:end]), bytes.TrimLeft(b[end+1:], " "), true
	}
	var out []byte
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return string(out), bytes.TrimLeft(b[i+1:], " "), true
		case c == '\\' && i+1 < len(b):
			i++
			switch e := b[i]; e {
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case 'r':
				c = '\r'
			case 'x':
				if i+2 < len(b) && unhex(b[i+1]) >= 0 && unhex(b[i+2]) >= 0 {
					c = byte(unhex(b[i+1])<<4 | unhex(b[i+2]))
					i += 2
				}
			default:
				c = e
			}
			out = append(out, c)
		default:
			out = append(out, c)
		}
	}
	return "", nil, false
}

// parseAccessLog reads one line.
func parseAccessLog(line []byte) (*Exchange, error) {
	request, l, err := cutAccessLog(line)
	if err != nil {
		return nil, err
	}
	r := &Exchange{V: Version, Headers: map[string][]string{}}
	if r.Time, err = logTime(l.time); err != nil {
		return nil, err
	}
	if r.Status, err = strconv.Atoi(orZero(string(l.status))); err != nil {
		return nil, fmt.Errorf("status %q is no number", l.status)
	}
	if err := r.request(request); err != nil {
		return nil, err
	}
	sent, err := strconv.ParseInt(orZero(string(l.size)), 10, 64)
	if err != nil || sent < 0 {
		return nil, fmt.Errorf("size %q is no number", l.size)
	}
	r.ResponseBytes = &sent
	r.caller(l.who)
	for i, name := range []string{"referer", "user-agent", "x-forwarded-for"} {
		if i < len(l.quoted) && l.quoted[i] != "-" && l.quoted[i] != "" {
			r.Headers[name] = []string{l.quoted[i]}
		}
	}
	r.extras(l.plain)
	return r, r.check()
}

func orZero(s string) string {
	if s == "-" {
		return "0"
	}
	return s
}

// logTime reads the time in brackets: Apache's, or RFC 3339 (nginx's
// $time_iso8601).
func logTime(b []byte) (time.Time, error) {
	s := string(b)
	t, err := time.Parse("02/Jan/2006:15:04:05 -0700", s)
	if err != nil {
		if t, err = time.Parse(time.RFC3339Nano, s); err != nil {
			return t, fmt.Errorf("[%s] is no time as 10/Oct/2026:13:55:36 -0700", s)
		}
	}
	return t.UTC(), nil
}

// request reads the request line as the client wrote it. Scans and TLS on a
// plain port leave lines in a log that are none.
func (r *Exchange) request(line string) error {
	method, rest, _ := strings.Cut(line, " ")
	if !isMethod(method) || rest == "" {
		return errNoRequest
	}
	r.Method, r.Path = method, strings.TrimLeft(rest, " ")
	if i := strings.LastIndexByte(rest, ' '); i >= 0 && strings.HasPrefix(rest[i+1:], "HTTP/") {
		r.Path, r.Protocol = strings.TrimSpace(rest[:i]), rest[i+1:]
	}
	for _, scheme := range []string{"http", "https"} { // as proxies are asked
		if after, ok := strings.CutPrefix(r.Path, scheme+"://"); ok {
			host, path, _ := strings.Cut(after, "/")
			r.Scheme, r.Host, r.Path = scheme, host, "/"+path
		}
	}
	if r.Path == "" {
		return errNoRequest
	}
	return nil
}

// isMethod: a token (RFC 9110, 5.6.2) of a length that methods have.
func isMethod(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 32
}

// caller reads what stands before the time. A user of whom the server says 401
// has not signed in, and is anybody.
func (r *Exchange) caller(b []byte) {
	words := strings.Fields(strings.ToValidUTF8(string(b), "\uFFFD"))
	if len(words) > 3 && !isAddress(words[0]) && isAddress(words[1]) {
		r.Host, words = words[0], words[1:]
	}
	if len(words) == 0 {
		return
	}
	access := map[string]any{}
	if isAddress(words[0]) {
		r.Source = words[0]
	} else if words[0] != "-" {
		access[LogHost] = words[0]
	}
	if len(words) > 2 && r.Status != 401 {
		if user := strings.Join(words[2:], " "); user != "-" && user != `""` {
			access = map[string]any{LogUser: user}
		}
	}
	if len(access) > 0 {
		r.Metadata = map[string]map[string]any{LogNamespace: access}
	}
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// extras reads numbers behind the fields that have names: two whole ones are
// bytes in and out (Apache's combinedio, %I %O); else the last is a duration, a
// whole one in microseconds (Apache's %D), one with a fraction in seconds
// (nginx's $request_time), and "1/1234567" both, %T/%D. A whole one before a
// fraction is the request's size ($request_length $request_time, ingress-nginx).
func (r *Exchange) extras(words []string) {
	var whole []int64
	for _, w := range words {
		if _, micros, ok := strings.Cut(w, "/"); ok {
			w = micros
		}
		if n, err := strconv.ParseInt(w, 10, 64); err == nil && n >= 0 {
			whole = append(whole, n)
		} else if s, err := strconv.ParseFloat(w, 64); err == nil && s >= 0 && len(w) < 20 {
			r.DurationMS = s * 1000
			if len(whole) == 1 {
				r.RequestBytes = &whole[0]
			}
			return
		} else {
			break
		}
	}
	switch len(whole) {
	case 1:
		r.DurationMS = float64(whole[0]) / 1000
	case 2:
		r.RequestBytes, r.ResponseBytes = &whole[0], &whole[1]
	}
}
