package route

import (
	"bytes"

	"github.com/zeebo/xxh3"
)

// VersionHeaders name the API version where the path does not, unless others
// are configured. In lower case.
var VersionHeaders = []string{"api-version", "x-api-version", "accept-version"}

// Bounds of what clients write.
const (
	maxHeaderVersion = 32  // bytes of "2026-11-20-preview"
	maxMediaType     = 512 // bytes of an Accept header that are read
)

// HeaderVersion hashes the version that a header's value is: "2", "v2", "2.1",
// "2026-11-20"; 0 for any other. "2" and "v2" are the version "v2" of a path.
func HeaderVersion(value []byte) uint16 {
	value = bytes.TrimSpace(value)
	if len(value) > 0 && value[0]|0x20 == 'v' {
		value = value[1:]
	}
	if len(value) == 0 || len(value) > maxHeaderVersion || !isDigit(value[0]) {
		return 0
	}
	var room [1 + maxHeaderVersion]byte
	text := append(room[:0], 'v')
	for _, c := range value {
		switch {
		case isUpper(c):
			c |= 0x20
		case !isDigit(c) && !isLower(c) && c != '.' && c != '-' && c != '_':
			return 0
		}
		text = append(text, c)
	}
	return max(uint16(xxh3.Hash(text)), 1)
}

// MediaTypeVersion hashes the version that an Accept or Content-Type names, in
// the type ("application/vnd.shop.v2+json") or as a parameter
// ("application/json;version=2", also v and api-version); 0: none. Of a list the
// first that names one counts.
func MediaTypeVersion(value []byte) uint16 {
	value = value[:min(len(value), maxMediaType)]
	for len(value) > 0 {
		var media, part []byte
		media, value, _ = bytes.Cut(value, comma)
		media, params, _ := bytes.Cut(media, semicolon)
		for len(params) > 0 {
			part, params, _ = bytes.Cut(params, semicolon)
			if v := parameterVersion(part); v != 0 {
				return v
			}
		}
		if _, subtype, ok := bytes.Cut(media, slash); ok {
			if v := subtypeVersion(bytes.TrimSpace(subtype)); v != 0 {
				return v
			}
		}
	}
	return 0
}

var comma, semicolon, slash, equals = []byte(","), []byte(";"), []byte("/"), []byte("=")

func parameterVersion(part []byte) uint16 {
	name, value, _ := bytes.Cut(bytes.TrimSpace(part), equals)
	if !sameName(name, "version") && !sameName(name, "v") && !sameName(name, "api-version") {
		return 0
	}
	return HeaderVersion(bytes.Trim(value, `"`))
}

// subtypeVersion finds it among the pieces of "vnd.shop.v2+json".
func subtypeVersion(subtype []byte) uint16 {
	from := 0
	for i := 0; i <= len(subtype); i++ {
		if i == len(subtype) || subtype[i] == '.' || subtype[i] == '+' || subtype[i] == '-' {
			if piece := subtype[from:i]; versionOf(piece) != 0 {
				return HeaderVersion(piece)
			}
			from = i + 1
		}
	}
	return 0
}

// sameName compares without regard to case; b is in lower case.
func sameName(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if isUpper(c) {
			c |= 0x20
		}
		if c != b[i] {
			return false
		}
	}
	return true
}
