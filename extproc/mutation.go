package extproc

import (
	"slices"
	"strings"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// mutation is what is changed in a set of headers. A header that is set
// replaces whatever the client has sent under its name.
type mutation struct {
	set    []setting
	remove []string
}

type setting struct{ name, value string }

func (mu *mutation) empty() bool { return len(mu.set) == 0 && len(mu.remove) == 0 }

// maxValue bounds a header value that a policy sets; Envoy refuses headers of
// more than 60 KiB in all.
const maxValue = 4 << 10

// ours begins the names that only wonted may send to an upstream. A client's
// are removed in every mode, so that an upstream can trust what it sees.
const ours = "x-wonted-"

// apply adds a policy's rules. A rule that Envoy would refuse, or that would
// change where the message goes and how it is framed, is left out: Envoy
// answers some of those with a 500, and carries out others.
func (mu *mutation) apply(rules []policy.HeaderRule) {
	for _, r := range rules {
		name := strings.ToLower(r.Name)
		switch {
		case !mutable(name):
		case r.Remove:
			mu.remove = append(mu.remove, name)
		default:
			mu.set = append(mu.set, setting{name, clean(r.Value)})
		}
	}
}

// strip removes what a client forged: headers in wonted's name, and those that
// an upstream might take for one that is set here.
func (mu *mutation) strip(headers []scoring.Header) {
	for i := range headers {
		name := headers[i].Name
		if !(alike(name, ours) || mu.shadowed(name)) {
			continue
		}
		n := string(name)
		set := slices.ContainsFunc(mu.set, func(s setting) bool { return s.name == n })
		if !set && isToken(n) && !slices.Contains(mu.remove, n) {
			mu.remove = append(mu.remove, n)
		}
	}
}

// shadowed says whether the name is another spelling of one that is set.
func (mu *mutation) shadowed(name []byte) bool {
	return slices.ContainsFunc(mu.set, func(s setting) bool {
		return len(s.name) == len(name) && alike(name, s.name)
	})
}

// alike compares the beginning of a name with a lower-case prefix, with _ for -:
// CGI and its many heirs turn both into _, and Envoy lets underscores pass.
func alike(name []byte, prefix string) bool {
	if len(name) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if fold(name[i]) != fold(prefix[i]) {
			return false
		}
	}
	return true
}

func fold(c byte) byte {
	switch {
	case c == '_':
		return '-'
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	}
	return c
}

// immutable are headers of routing, framing and tracing. Envoy refuses a
// change of some and obeys a change of others, to everybody's surprise.
var immutable = []string{
	"connection", "content-length", "host", "http2-settings", "keep-alive", "proxy-connection", "te", "trailer",
	"transfer-encoding", "upgrade", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-request-id",
}

func mutable(name string) bool {
	return isToken(name) && !strings.HasPrefix(name, "x-envoy-") && !slices.Contains(immutable, name)
}

// isToken: RFC 9110, 5.6.2. Pseudo headers are none.
func isToken(name string) bool {
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return name != ""
}

// clean makes a string fit for a header value: control characters, which Envoy
// answers with a 500, become spaces.
func clean(value string) string {
	value = value[:min(len(value), maxValue)]
	b := []byte(value)
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = ' '
		}
	}
	return strings.Trim(string(b), " ")
}
