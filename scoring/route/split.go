package route

import "github.com/zeebo/xxh3"

// Bounds of one template. What is beyond them is folded into one last
// placeholder, "/*", whose value is the rest of the path.
const (
	maxPath     = 1024 // bytes of path that are cut into segments
	maxSegments = 32
	maxName     = 256 // bytes of a route's name
	maxWord     = 64  // bytes of a literal segment: longer ones are tokens
)

var methods = [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"}

func methodName(i int) string {
	if i == len(methods) {
		return "OTHER" // an invented method must not make new routes
	}
	return methods[i]
}

func methodIndex(method []byte) int {
	for i := range methods {
		if string(method) == methods[i] {
			return i
		}
	}
	return len(methods)
}

// template is the work space of one Match. It lives on the stack.
type template struct {
	method       int
	version      uint16
	rest         []byte // what split folded, raw
	folded       bool
	placeholders int
	number       uint64 // of the last value

	segments [maxSegments]span // the path after normalisation
	n        int
	values   [maxSegments]span // placeholder values among them
	nvalues  int
	decoded  [maxPath]byte
	name     [maxName + 16]byte
	length   int    // of name
	end      *guide // what is known behind the path
}

// span is a piece of template.decoded.
type span struct{ from, to uint16 }

// build cuts the path into segments and writes the route's name. g may be nil.
func (b *template) build(method, path []byte, g *guide) {
	b.method = methodIndex(method)
	b.split(path)
	name := append(b.name[:0], methodName(b.method)...)
	name = append(name, ' ')
	for i := range b.n {
		s := b.segments[i]
		text := b.decoded[s.from:s.to]
		p := classify(text)
		if g != nil {
			p, g = g.step(text, p)
		}
		if len(name)+1+max(len(text), len("{date}.abcde"), p.prefix+len(p.placeholder)+p.suffix)+len("/*") > maxName {
			b.value(span{s.from, b.segments[b.n-1].to})
			b.folded = true
			break
		}
		name = append(name, '/')
		if i < versionSegments && b.version == 0 {
			b.version = versionOf(text)
		}
		if p.placeholder == word {
			name = append(name, text...)
			continue
		}
		name = append(name, text[:p.prefix]...)
		name = append(name, p.placeholder...)
		name = append(name, text[len(text)-p.suffix:]...)
		b.value(s)
		if p.placeholder == id {
			b.number = number(text[p.prefix : len(text)-p.suffix])
		}
	}
	if b.rest != nil && !b.folded {
		b.folded = true
		b.placeholders++
		b.number = 0
	}
	switch {
	case b.folded:
		name, g = append(name, "/*"...), nil
	case b.n == 0:
		name = append(name, '/')
	}
	b.length, b.end = len(name), g
}

func (b *template) value(s span) {
	b.values[b.nvalues] = s
	b.nvalues++
	b.placeholders++
	b.number = 0
}

// object hashes the placeholder values on top of the template's hash. A length
// before each value keeps "1","23" and "12","3" apart.
func (b *template) object(hash uint64) uint64 {
	if b.placeholders == 0 {
		return 0
	}
	for i := range b.nvalues {
		s := b.values[i]
		hash = xxh3.HashSeed(b.decoded[s.from:s.to], hash+uint64(s.to-s.from))
	}
	if b.rest != nil {
		hash = xxh3.HashSeed(b.rest, hash+uint64(len(b.rest)))
	}
	return max(hash, 1)
}

// split cuts the path at its slashes, in the one form that different spellings
// of the same path share, since a policy on a route must not be evaded by
// spelling: query and fragment cut, empty segments and "." dropped, ".." taken
// back, ";parameters" cut, %-escapes of unreserved characters decoded (RFC 3986
// section 6.2.2.2), all other non-printing bytes escaped.
func (b *template) split(path []byte) {
	at := 0 // in decoded
	for i := 0; i < len(path); {
		c := path[i]
		if c == '?' || c == '#' {
			return
		}
		if c == '/' {
			i++
			continue
		}
		// A segment can grow threefold by escaping; the cheap test is exact
		// enough, since only a path near the bound takes the slow one.
		from := at
		start := i
		for i < len(path) && path[i] != '/' && path[i] != '?' && path[i] != '#' && path[i] != ';' {
			if at+3 > maxPath {
				b.rest = beforeQuery(path[start:])
				return
			}
			at, i = b.decode(path, i, at)
		}
		for i < len(path) && path[i] == ';' { // parameters run to the segment's end
			for i < len(path) && path[i] != '/' && path[i] != '?' && path[i] != '#' {
				i++
			}
		}
		switch text := b.decoded[from:at]; {
		case len(text) == 0 || string(text) == ".":
			at = from
		case string(text) == "..":
			at = from
			if b.n > 0 {
				b.n--
				at = int(b.segments[b.n].from)
			}
		case b.n == maxSegments:
			b.rest = beforeQuery(path[start:])
			return
		default:
			b.segments[b.n] = span{uint16(from), uint16(at)}
			b.n++
		}
	}
}

func beforeQuery(rest []byte) []byte {
	for i, c := range rest {
		if c == '?' || c == '#' {
			return rest[:i]
		}
	}
	return rest
}

// decode writes the character at path[i] to decoded[at] and returns both
// positions behind it.
func (b *template) decode(path []byte, i, at int) (int, int) {
	c, width := path[i], 1
	if c == '%' && i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]) {
		c, width = unhex(path[i+1])<<4|unhex(path[i+2]), 3
		if unreserved(c) {
			b.decoded[at] = c
			return at + 1, i + 3
		}
	} else if plain(c) {
		b.decoded[at] = c
		return at + 1, i + 1
	}
	const digits = "0123456789ABCDEF"
	b.decoded[at], b.decoded[at+1], b.decoded[at+2] = '%', digits[c>>4], digits[c&15]
	return at + 3, i + width
}

// plain bytes stand for themselves in a name. Braces and stars do not, or a
// client could write a placeholder.
func plain(c byte) bool {
	return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '{' && c != '}' && c != '*'
}

func unreserved(c byte) bool {
	return isDigit(c) || isLower(c) || isUpper(c) || c == '-' || c == '.' || c == '_' || c == '~'
}

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
