package skim

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Unescape appends the text of a string (RFC 8259, 7). What is no escape stays
// as it is.
func Unescape(dst, s []byte) []byte {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		c := s[i+1]
		s = s[i+2:]
		switch c {
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'f':
			dst = append(dst, '\f')
		case 'b':
			dst = append(dst, '\b')
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
		d := Unhex(c)
		if d < 0 {
			return utf8.RuneError, s
		}
		r = r<<4 | rune(d)
	}
	return r, s[4:]
}

// Unhex is the value of a hexadecimal digit, -1 where it is none.
func Unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
