package signin

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxBody is how much of a body is looked at, in bytes. A sign-in has some
// hundred.
const MaxBody = 64 << 10

// maxName bounds a user's name. What is longer is cut: it is hashed, and who
// sends names of kilobytes is told apart by their beginning well enough.
const maxName = 512

// finder looks for the fields of a sign-in. Names are collected, all of those
// that are there: a body with a user of each spelling, one of them always the
// same, would else be by one and the same user for ever.
type finder struct {
	field    string // as declared; "": the usual ones
	name     []byte // the values of that field, joined by a line feed
	usual    []byte // the values of the usual fields, likewise
	password bool   // there is a field for one
	key      [maxField]byte
}

// read looks at a body, JSON if it begins like it, else a form. What is cut off
// is read as far as it goes.
func (f *finder) read(body []byte) {
	body = bytes.TrimLeft(body[:min(len(body), MaxBody)], " \t\r\n\ufeff")
	if len(body) > 0 && (body[0] == '{' || body[0] == '[') {
		f.json(body)
		return
	}
	f.form(body)
}

// found is the name, nil where there is none.
func (f *finder) found() []byte {
	name := f.name
	if name == nil {
		name = f.usual
	}
	return bytes.ToLower(bytes.TrimSpace(name))
}

// take is told of every field with a value. text copies the value, decoded, to
// the end of b; it is called for names of users alone.
func (f *finder) take(key []byte, text func(b []byte) []byte) {
	field, ok := flat(f.key[:0], key)
	if !ok || len(field) == 0 {
		return
	}
	if f.field != "" && string(field) == f.field {
		f.name = join(f.name, text)
		return
	}
	if isPassword(field) {
		f.password = true
	} else if userFields[string(field)] {
		f.usual = join(f.usual, text)
	}
}

func join(to []byte, text func(b []byte) []byte) []byte {
	if len(to) > 0 {
		to = append(to, '\n')
	}
	to = text(to)
	return to[:min(len(to), maxName)]
}

// json walks over the tokens: a string before a colon is a key, and the string
// or number behind it a value. Nesting does not matter, and needs no stack.
func (f *finder) json(b []byte) {
	var key []byte // of the value to come
	var room [2 * maxField]byte
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == '"':
			end, whole := stringEnd(b, i+1)
			text := b[i+1 : end]
			i = end + 1
			for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
				i++
			}
			if i < len(b) && b[i] == ':' {
				key = nil
				if len(text) <= 6*maxField { // each letter may be written \u0061
					key = unescape(room[:0], text)
				}
				i++
				continue
			}
			if key != nil && whole {
				f.take(key, func(b []byte) []byte { return unescape(b, text[:min(len(text), 6*maxName)]) })
			}
			key = nil
		case c == '-' || '0' <= c && c <= '9':
			from := i
			for i < len(b) && (b[i] > ' ' && b[i] != ',' && b[i] != '}' && b[i] != ']') {
				i++
			}
			if number := b[from:i]; key != nil {
				f.take(key, func(b []byte) []byte { return append(b, number[:min(len(number), maxName)]...) })
			}
			key = nil
		default:
			if c == ',' || c == '{' || c == '[' || c == '}' || c == ']' {
				key = nil
			}
			i++
		}
	}
}

// stringEnd is where the string that begins at i ends: at its quote, or where
// the body is cut off.
func stringEnd(b []byte, i int) (end int, whole bool) {
	for i < len(b) {
		switch b[i] {
		case '"':
			return i, true
		case '\\':
			i++
		}
		i++
	}
	return len(b), false
}

// unescape appends a JSON string's text (RFC 8259, 7). What is no escape stays
// as it is.
func unescape(dst, s []byte) []byte {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		c := s[i+1]
		s = s[i+2:]
		switch c {
		case 'n', 'r', 't', 'f', 'b':
			dst = append(dst, ' ')
		case 'u':
			r, rest := hex4(s)
			s = rest
			if utf16.IsSurrogate(r) && len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
				low, rest := hex4(s[2:])
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					r, s = pair, rest
				}
			}
			dst = utf8.AppendRune(dst, r)
		default: // \" \\ \/
			dst = append(dst, c)
		}
	}
}

// hex4 reads four digits; U+FFFD, and nothing read, where they are none.
func hex4(s []byte) (r rune, rest []byte) {
	if len(s) < 4 {
		return utf8.RuneError, s
	}
	for _, c := range s[:4] {
		d := unhex(c)
		if d < 0 {
			return utf8.RuneError, s
		}
		r = r<<4 | rune(d)
	}
	return r, s[4:]
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// form walks over name=value&name=value.
func (f *finder) form(b []byte) {
	var room [3 * maxField]byte
	for len(b) > 0 {
		var pair []byte
		pair, b, _ = bytes.Cut(b, []byte("&"))
		name, value, ok := bytes.Cut(pair, []byte("="))
		if !ok || len(name) > 3*maxField {
			continue
		}
		f.take(unquery(room[:0], name), func(b []byte) []byte { return unquery(b, value[:min(len(value), 3*maxName)]) })
	}
}

// unquery appends what stands in a form: + is a space, %41 a letter.
func unquery(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			dst = append(dst, ' ')
		case c == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			dst = append(dst, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
