package signin

import (
	"bytes"

	"github.com/wonted-project/wonted/scoring/skim"
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
	from := len(to)
	to = text(to)
	for i := from; i < len(to); i++ {
		if to[i] < ' ' { // a line feed joins, and is no part of a name
			to[i] = ' '
		}
	}
	return to[:min(len(to), maxName)]
}

// json walks over the tokens: nesting does not matter.
func (f *finder) json(body []byte) {
	var key []byte // of the value to come
	var room [2 * maxField]byte
	w := skim.Over(body)
	for {
		kind, text := w.Next()
		switch kind {
		case skim.End:
			return
		case skim.Key:
			if key = nil; len(text) <= 6*maxField { // each letter may be written \u0061
				key = skim.Unescape(room[:0], text)
			}
			continue
		case skim.String:
			if key != nil {
				f.take(key, func(b []byte) []byte { return skim.Unescape(b, text[:min(len(text), 6*maxName)]) })
			}
		case skim.Scalar:
			if key != nil && (text[0] == '-' || '0' <= text[0] && text[0] <= '9') {
				f.take(key, func(b []byte) []byte { return append(b, text[:min(len(text), maxName)]...) })
			}
		}
		key = nil
	}
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
		case c == '%' && i+2 < len(s) && skim.Unhex(s[i+1]) >= 0 && skim.Unhex(s[i+2]) >= 0:
			dst = append(dst, byte(skim.Unhex(s[i+1])<<4|skim.Unhex(s[i+2])))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
