// Package skim walks over JSON that a client has sent, without building
// anything of it: it looks for a few members, in text that may be cut off,
// broken or hostile.
//
// It imports nothing of wonted. Start reading at [Walk].
package skim

import "bytes"

// Kind is what a token is: one of '{', '}', '[', ']', ',' and ':', or one of
// these.
type Kind byte

// The kinds that are no punctuation.
const (
	End    Kind = 0   // of the text
	Key    Kind = 'k' // a string with a colon behind it, which Next has passed
	String Kind = '"' // any other string
	Scalar Kind = '0' // a number, true, false, null, or what stands where they would
)

// Walk goes over the tokens of a text, from the front. It allocates nothing, and
// what is no JSON does it no harm: whatever comes, each step goes on.
type Walk struct {
	text []byte
	at   int
}

// Over walks over a text, which it keeps.
func Over(text []byte) Walk { return Walk{text: text} }

// Next is the token that follows. A string or key is as it is written, without
// its quotes, for [Unescape]; one that is cut off is not a token any more.
func (w *Walk) Next() (kind Kind, text []byte) {
	w.blank()
	if w.at >= len(w.text) {
		return End, nil
	}
	from := w.at
	switch c := w.text[from]; c {
	case '{', '}', '[', ']', ',', ':':
		w.at++
		return Kind(c), nil
	case '"':
		return w.str()
	}
	for w.at++; w.at < len(w.text) && !delimits(w.text[w.at]); {
		w.at++
	}
	return Scalar, w.text[from:w.at]
}

func (w *Walk) str() (Kind, []byte) {
	from := w.at + 1
	end := from
	for {
		i := bytes.IndexByte(w.text[min(end, len(w.text)):], '"')
		if i < 0 {
			w.at = len(w.text)
			return End, nil
		}
		if end += i; !escaped(w.text[from:end]) {
			break
		}
		end++
	}
	w.at = end + 1
	if w.blank(); w.at < len(w.text) && w.text[w.at] == ':' {
		w.at++
		return Key, w.text[from:end]
	}
	return String, w.text[from:end]
}

// escaped says whether what follows s is: an odd number of backslashes ends it.
func escaped(s []byte) bool {
	n := len(s)
	for n > 0 && s[n-1] == '\\' {
		n--
	}
	return (len(s)-n)%2 == 1
}

func (w *Walk) blank() {
	for w.at < len(w.text) && isBlank(w.text[w.at]) {
		w.at++
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func delimits(c byte) bool {
	switch c {
	case '{', '}', '[', ']', ',', ':', '"':
		return true
	}
	return isBlank(c)
}
