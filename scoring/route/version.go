package route

import "github.com/zeebo/xxh3"

// versionSegments is how deep in the path an API's version is looked for:
// /v2/..., /api/v2/..., /shop/api/v2/... Behind that a "v2" is a name.
const versionSegments = 3

// maxVersion is the longest segment that is a version: "v20261120preview".
const maxVersion = 16

// versionOf hashes a segment that names an API version, in either case; 0 for
// any other. A version is a v and a number, with parts behind dots ("v1.10"),
// and may be marked as one of those that are not released ("v1beta1").
func versionOf(s []byte) uint16 {
	if len(s) < 2 || len(s) > maxVersion || s[0]|0x20 != 'v' || !isDigit(s[1]) {
		return 0
	}
	var lower [maxVersion]byte
	for i, c := range s {
		if isUpper(c) {
			c |= 0x20
		}
		lower[i] = c
	}
	text := lower[:len(s)]
	rest := digits(text[1:])
	for len(rest) > 1 && rest[0] == '.' && isDigit(rest[1]) {
		rest = digits(rest[1:])
	}
	for _, stage := range [...]string{"alpha", "beta", "preview", "rc"} {
		if len(rest) >= len(stage) && string(rest[:len(stage)]) == stage {
			rest = digits(rest[len(stage):])
			break
		}
	}
	if len(rest) > 0 {
		return 0
	}
	return max(uint16(xxh3.Hash(text)), 1)
}

// digits returns what follows the digits at the beginning.
func digits(s []byte) []byte {
	for len(s) > 0 && isDigit(s[0]) {
		s = s[1:]
	}
	return s
}
