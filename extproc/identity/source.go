package identity

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// op says what sort of source a rule reads.
type op uint8

const (
	opNone op = iota
	opHeader
	opCookie
	opBearer
	opClaim
	opSAN
	opMetadata
	opAddress
	opMask // names only: the beginning of the value itself
)

// String is the option's name in the configuration.
func (o op) String() string {
	return [...]string{"", "header", "cookie", "bearer", "jwt_claim", "mtls_san", "metadata", "address", "mask"}[o]
}

// verified says whether the proxy vouches for what the source holds.
func (o op) verified() bool { return o == opClaim || o == opSAN || o == opMetadata }

// single says whether an honest request has at most one value there. Cookies
// are not among them: a browser lawfully sends two of one name that were set
// for different paths, and what the proxy vouches for no client has written.
func (o op) single() bool { return o == opHeader || o == opBearer }

// jwtNamespace is where Envoy's jwt_authn filter leaves the payloads of tokens
// it has verified, each under the provider's payload_in_metadata.
const jwtNamespace = "envoy.filters.http.jwt_authn"

// source is one place where a value can be found.
type source struct {
	op        op
	name      string // header (lower case), cookie or dotted path
	namespace string // of metadata
}

// String is the source in words, for reports: "header x-api-key".
func (s source) String() string {
	switch {
	case s.namespace != "":
		return s.op.String() + " " + s.namespace + ":" + s.name
	case s.name != "":
		return s.op.String() + " " + s.name
	}
	return s.op.String()
}

// check refuses names that can never match, and normalises the others.
func (s source) check() (source, error) {
	switch s.op {
	case opHeader:
		if !httpguts.ValidHeaderFieldName(s.name) {
			return s, fmt.Errorf("header %q is no header name; for example x-api-key", s.name)
		}
		s.name = strings.ToLower(s.name)
		if s.name == "cookie" {
			return s, fmt.Errorf("header cookie holds all cookies at once; name one: cookie: session")
		}
	case opCookie:
		if !httpguts.ValidHeaderFieldName(s.name) { // a cookie's name is the same token
			return s, fmt.Errorf("cookie %q is no cookie name; for example session", s.name)
		}
	case opMetadata:
		namespace, path, ok := strings.Cut(s.name, ":")
		if !ok || namespace == "" || path == "" {
			return s, fmt.Errorf("metadata %q: write NAMESPACE:KEY or NAMESPACE:KEY.KEY, for example envoy.filters.http.ext_authz:user.id", s.name)
		}
		s.namespace, s.name = namespace, path
	}
	return s, nil
}

// read finds what the source says in the exchange. k hashes what is contested.
// Addresses and masks are not read here.
func (s *source) read(ex *scoring.Exchange, k sipKey) found {
	var f found
	switch s.op {
	case opHeader:
		for i := range ex.Headers {
			if h := &ex.Headers[i]; string(h.Name) == s.name {
				f.add(h.Value, k)
			}
		}
	case opCookie:
		for i := range ex.Headers {
			if h := &ex.Headers[i]; string(h.Name) == "cookie" {
				cookies(&f, h.Value, s.name, k)
			}
		}
	case opBearer:
		for i := range ex.Headers {
			if h := &ex.Headers[i]; string(h.Name) == "authorization" {
				bearer(&f, h.Value, k)
			}
		}
	case opSAN:
		f.add(ex.PeerURISAN, k)
		if f.value == nil {
			f.add(ex.PeerDNSSAN, k)
		}
	case opClaim:
		claims(&f, ex, s.name, k)
	case opMetadata:
		for i := range ex.Metadata {
			if m := &ex.Metadata[i]; string(m.Name) == s.namespace {
				var v value
				if lookup(m.Struct, s.name, &v) {
					f.add(v.text(&ex.Names), k)
				}
			}
		}
	}
	return f
}

// found is what one source said in one exchange.
type found struct {
	value     []byte      // trimmed; nil if there is none. Points into the exchange
	contested profile.Key // over all values, where there are several different ones; else zero
}

// add takes one more value in. Empty ones are absent; equal ones agree.
func (f *found) add(v []byte, k sipKey) {
	v = bytes.TrimSpace(v)
	switch {
	case len(v) == 0:
	case f.value == nil:
		f.value = v
	case f.isContested():
		f.contested = sum(f.contested, k.hash(v))
	case !bytes.Equal(f.value, v):
		f.contested = sum(k.hash(f.value), k.hash(v))
	}
}

// isContested says whether there were several different values.
func (f *found) isContested() bool { return f.contested != profile.Key{} }

// usable says whether the source names somebody.
func (f *found) usable() bool { return f.value != nil && !f.isContested() }

// sum stands for a set of values: it changes with each of them, in any order.
func sum(a, b profile.Key) profile.Key {
	return named(profile.Key{Hi: a.Hi + b.Hi, Lo: a.Lo + b.Lo})
}

// cookies adds the values that a Cookie header has under a name. A pair of
// quotes is taken off, since servers do: quoted or not, it is the same session.
func cookies(f *found, line []byte, name string, k sipKey) {
	for len(line) > 0 {
		var pair []byte
		pair, line = cut(line, ';')
		i := bytes.IndexByte(pair, '=')
		if i < 0 || string(bytes.TrimSpace(pair[:i])) != name {
			continue
		}
		v := bytes.TrimSpace(pair[i+1:])
		if n := len(v); n >= 2 && v[0] == '"' && v[n-1] == '"' {
			v = v[1 : n-1]
		}
		f.add(v, k)
	}
}

// bearer adds the tokens of an Authorization header. Envoy joins several
// Authorization lines with commas, which no token contains (RFC 6750), so each
// part is looked at.
func bearer(f *found, line []byte, k sipKey) {
	const scheme = "bearer"
	for len(line) > 0 {
		var part []byte
		part, line = cut(line, ',')
		part = bytes.TrimSpace(part)
		if n := len(scheme); len(part) > n && part[n] == ' ' && bytes.EqualFold(part[:n], []byte(scheme)) {
			f.add(part[n:], k)
		}
	}
}

// cut splits at the first separator.
func cut(b []byte, sep byte) (before, after []byte) {
	if i := bytes.IndexByte(b, sep); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}
