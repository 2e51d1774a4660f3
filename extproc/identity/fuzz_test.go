package identity

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/scoring/profile"
)

// FuzzBearer compares with the plainest reading of RFC 6750: the tokens of all
// lines; one, or several that agree, are a credential, and nothing else is.
func FuzzBearer(f *testing.F) {
	f.Add("Bearer a", "bEaReR a,Basic b")
	f.Add("Bearer a,Bearer b", "")
	f.Add(" Bearer\ta, ,Bearer  ", "Bearer\x00")
	f.Fuzz(func(t *testing.T, a, b string) {
		r := resolver(t, Default(), 0)
		ex := request("authorization:"+a, "authorization:"+b)
		r.Resolve(ex)

		tokens := map[string]bool{}
		for _, h := range ex.Headers {
			if string(h.Name) != "authorization" {
				continue
			}
			for part := range strings.SplitSeq(string(h.Value), ",") {
				scheme, token, ok := strings.Cut(strings.TrimSpace(part), " ")
				if token = strings.TrimSpace(token); ok && token != "" && strings.EqualFold(scheme, "bearer") {
					tokens[token] = true
				}
			}
		}
		got := ex.Entities[profile.KindCredential]
		if (got.Kind != profile.KindNone) != (len(tokens) == 1) {
			t.Fatalf("%q, %q: a credential is %v, with %d tokens", a, b, got.Kind, len(tokens))
		}
		for token := range tokens {
			if len(tokens) == 1 && got.Key != r.Key(profile.KindCredential, []byte(token)) {
				t.Errorf("%q, %q: the credential is not %q", a, b, token)
			}
		}
	})
}

// FuzzAddress compares with net/netip, which knows fewer ways to write an
// address: what it can read, we read the same.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"203.0.113.9:40000", "203.0.113.9", "[2001:db8::1]:443", "2001:db8::1", "[::ffff:1.2.3.4]:0", "[]:", ":1", "@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, port, ok := parseHost([]byte(s))
		if ok != a.IsValid() || a.Zone() != "" || a.Is4In6() {
			t.Fatalf("%q: %v, %v", s, a, ok)
		}
		if len(s) > 64 || strings.Contains(s, "%") {
			return // longer than any address; zones are cut wherever they are
		}
		if want, err := netip.ParseAddrPort(s); err == nil && (a != want.Addr().Unmap() || port != want.Port()) {
			t.Errorf("%q: %v port %d, net/netip has %v", s, a, port, want)
		}
		if want, err := netip.ParseAddr(s); err == nil && (a != want.Unmap() || port != 0) {
			t.Errorf("%q: %v port %d, net/netip has %v", s, a, port, want)
		}
		if ok && (!network(a).Contains(a) || !host(a).Contains(a)) {
			t.Errorf("%v is not in %v", a, network(a))
		}
	})
}
