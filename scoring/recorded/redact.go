package recorded

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/dchest/siphash"
)

// Redactor puts keyed hashes in the place of credentials: a tilde and 32 hex
// digits, SipHash-128 of the value. The same value has the same hash wherever
// it stands, so that in a replay whoever was one identity still is one, and two
// sources that agreed or disagreed still do. A replay hashes the hash like any
// other value: its identities have other keys than live, and are grouped alike.
//
// What is redacted: the bodies of sign-ins, the values of cookies; Authorization behind its scheme;
// headers that an identity rule names; headers and parameters of path and query
// that are called like a secret (secret.go has the list); values that look like
// a known kind of token; in every header, URLs likewise. A secret that is a
// segment of the path and looks like an object's id stays: what is asked for is
// what a recording is about.
type Redactor struct {
	k0, k1  uint64
	headers map[string]bool
}

// NewRedactor hashes under key. Headers are the names, in lower case, of further
// headers that name identities.
func NewRedactor(key [32]byte, headers ...string) *Redactor {
	r := &Redactor{k0: binary.LittleEndian.Uint64(key[:8]), k1: binary.LittleEndian.Uint64(key[8:16]), headers: map[string]bool{}}
	for _, name := range headers {
		r.headers[strings.ToLower(name)] = true
	}
	delete(r.headers, "x-forwarded-for") // an address, read as one
	return r
}

// hash appends what stands for a value. Space around it is no part of it;
// nothing stays nothing.
func (r *Redactor) hash(dst, value []byte) []byte {
	if value = bytes.TrimSpace(value); len(value) == 0 {
		return dst
	}
	hi, lo := siphash.Hash128(r.k0, r.k1, value)
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], hi)
	binary.BigEndian.PutUint64(b[8:], lo)
	return hex.AppendEncode(append(dst, '~'), b[:])
}

// header appends a header's value as it may be kept.
func (r *Redactor) header(dst, name, value []byte) []byte {
	t := headerTreatments[string(name)]
	if (t == plainText || t == byName) && r.headers[string(name)] {
		t = wholeValue
	}
	if t == byName {
		if t = plainText; secretName(name) {
			t = scheme
		}
	}
	switch t {
	case wholeValue:
		return r.hash(dst, value)
	case scheme:
		return r.credentials(dst, value)
	case cookies:
		return r.cookies(dst, value)
	}
	if secretValue(value) {
		return r.credentials(dst, value)
	}
	return r.text(dst, value)
}

// credentials hashes each of the comma-separated parts behind its scheme.
func (r *Redactor) credentials(dst, value []byte) []byte {
	for {
		comma := bytes.IndexByte(value, ',')
		part := value
		if comma >= 0 {
			part = value[:comma]
		}
		part = bytes.TrimSpace(part)
		n, rest := splitScheme(part)
		dst = append(dst, part[:n]...)
		if n > 0 {
			dst = append(dst, ' ')
		}
		dst = r.hash(dst, part[rest:])
		if comma < 0 {
			return dst
		}
		dst = append(dst, ',')
		value = value[comma+1:]
	}
}

// cookies keeps the names and hashes the values, as identity reads them: a pair
// of quotes is no part of a value.
func (r *Redactor) cookies(dst, line []byte) []byte {
	for i := 0; len(line) > 0; i++ {
		if i > 0 {
			dst = append(dst, "; "...)
		}
		pair, rest, _ := bytes.Cut(line, []byte{';'})
		line = rest
		name, value, ok := bytes.Cut(pair, []byte{'='})
		if !ok {
			dst = r.hash(dst, pair)
			continue
		}
		dst = append(append(dst, bytes.TrimSpace(name)...), '=')
		value = bytes.TrimSpace(value)
		if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
			value = value[1 : n-1]
		}
		dst = r.hash(dst, value)
	}
	return dst
}

// text keeps a value but for the secrets of URLs in it: the user before an @,
// and parameters.
func (r *Redactor) text(dst, v []byte) []byte {
	if from, to := userinfo(v); to > 0 {
		dst = append(dst, v[:from]...)
		dst = r.hash(dst, v[from:to])
		v = v[to:]
	}
	return r.url(dst, v)
}

// userinfo is where "user:password" stands in a URL; 0, 0 if nowhere.
func userinfo(v []byte) (from, to int) {
	i := bytes.Index(v, []byte("://"))
	if i < 0 {
		return 0, 0
	}
	host := v[i+3:]
	if end := bytes.IndexAny(host, "/?#"); end >= 0 {
		host = host[:end]
	}
	if at := bytes.LastIndexByte(host, '@'); at >= 0 {
		return i + 3, i + 3 + at
	}
	return 0, 0
}

// host keeps an authority but for a user in it.
func (r *Redactor) host(dst, v []byte) []byte {
	if at := bytes.LastIndexByte(v, '@'); at >= 0 {
		dst = r.hash(dst, v[:at])
		v = v[at:]
	}
	return append(dst, v...)
}
