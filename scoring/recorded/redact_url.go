package recorded

import "bytes"

// url keeps a path or URL but for the values of its secret parameters, be they
// in the query, in the fragment or behind a semicolon (";jsessionid="). It cuts
// wherever any server might: what one takes for a part of a value, another
// takes for the next parameter.
func (r *Redactor) url(dst, u []byte) []byte {
	part := inPath
	start := 0
	for i, c := range u {
		if separators[c]&part == 0 {
			continue
		}
		dst = append(r.piece(dst, u[start:i]), c)
		start = i + 1
		if c == '?' || c == '#' {
			part = inQuery // a slash may be part of a value now
		}
	}
	return r.piece(dst, u[start:])
}

const inPath, inQuery uint8 = 1, 2

// separators says in which part of a URL a byte ends a piece.
var separators = [256]uint8{'/': inPath, '&': inQuery, '?': inPath | inQuery, ';': inPath | inQuery, '#': inPath | inQuery}

// piece keeps one "name=value", or one word, unless it is secret.
func (r *Redactor) piece(dst, piece []byte) []byte {
	i := bytes.IndexByte(piece, '=')
	if i < 0 {
		if secretValue(piece) {
			return r.hash(dst, piece)
		}
		return append(dst, piece...)
	}
	name, value := piece[:i], piece[i+1:]
	dst = append(append(dst, name...), '=')
	if secretParameter(name, value, 0) {
		return r.hash(dst, value)
	}
	return append(dst, value...)
}

// maxNesting is how many URLs within URLs are looked into, and how often what is
// escaped may have been.
const maxNesting = 3

// secretParameter says whether a value must not be kept: because of its name,
// by itself, or because it is an escaped URL with such a value in it.
func secretParameter(name, value []byte, depth int) bool {
	var room [256]byte
	if secretName(unescape(room[:0], name)) {
		return true
	}
	for range maxNesting { // in place from the second time on: it never grows
		if bytes.IndexByte(value, '%') < 0 && bytes.IndexByte(value, '+') < 0 {
			break
		}
		value = unescape(room[:0], value)
	}
	if secretValue(bytes.TrimSpace(value)) {
		return true
	}
	if _, user := userinfo(value); user > 0 {
		return true
	}
	if bytes.IndexByte(value, '=') < 0 {
		return false
	}
	if depth == maxNesting {
		return true
	}
	for len(value) > 0 {
		piece := value
		if end := bytes.IndexAny(value, "/?&;#"); end >= 0 {
			piece, value = value[:end], value[end+1:]
		} else {
			value = nil
		}
		if n, v, ok := bytes.Cut(piece, []byte{'='}); ok && secretParameter(n, v, depth+1) {
			return true
		}
	}
	return false
}

// unescape appends b with its %-escapes and pluses taken back, as forms have
// them (WHATWG URL, 5.1). What is no escape stays.
func unescape(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(b):
			if hi, lo := unhex(b[i+1]), unhex(b[i+2]); hi >= 0 && lo >= 0 {
				c = byte(hi<<4 | lo)
				i += 2
			}
		}
		dst = append(dst, c)
	}
	return dst
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
