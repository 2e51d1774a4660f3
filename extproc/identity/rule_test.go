package identity

import (
	"bytes"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

func TestDefaultIsValid(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Fatal(err)
	}
}

// TestYAML reads the list as it is documented, and writes it back.
func TestYAML(t *testing.T) {
	const text = `
- {kind: caller, header: x-api-key, name: mask}
- {kind: caller, jwt_claim: sub, name: "jwt_claim:email"}
- {kind: credential, bearer: true}
- {kind: session, cookie: session}
- {kind: caller, mtls_san: true}
- {kind: user, metadata: "envoy.lb:user.id"}
- {kind: caller, address: true}
`
	want := Config{
		{Kind: "caller", Header: "x-api-key", Name: "mask"},
		{Kind: "caller", JWTClaim: "sub", Name: "jwt_claim:email"},
		{Kind: "credential", Bearer: true},
		{Kind: "session", Cookie: "session"},
		{Kind: "caller", MTLSSAN: true},
		{Kind: "user", Metadata: "envoy.lb:user.id"},
		{Kind: "caller", Address: true},
	}
	var got Config
	if err := yaml.NewDecoder(strings.NewReader(text), yaml.Strict()).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
	b, err := yaml.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var again Config
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("after writing it back, -want +got:\n%s", diff)
	}
}

func TestValidate(t *testing.T) {
	address := Rule{Kind: "caller", Address: true}
	f := func(c Config, want ...string) {
		t.Helper()
		err := c.Validate()
		if err == nil {
			t.Errorf("%+v: no error, want %q", c, want)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%+v:\n got %v\nwant …%s…", c, err, w)
			}
		}
	}
	f(nil, "no rule names a caller", "{kind: caller, address: true}")
	f(Config{{Kind: "session", Cookie: "s"}}, "no rule names a caller")
	f(Config{address, {Header: "x"}}, "identity rule 2: kind is missing: caller, credential, session or user")
	f(Config{{Kind: "callers", Header: "x"}}, `identity rule 1: unknown kind "callers"; allowed are caller, credential, session and user`)
	f(Config{{Kind: "device", Header: "x"}}, `kind "device" needs no rule, it is always set`)
	f(Config{{Kind: "route", Header: "x"}}, `unknown kind "route"`)
	f(Config{{Kind: "caller"}}, "identity rule 1: no source; set one of header, cookie, bearer, jwt_claim, mtls_san, metadata, address")
	f(Config{{Kind: "caller", Header: "x", Cookie: "y"}}, "2 sources (header, cookie) where one is allowed; write a rule for each")
	f(Config{{Kind: "caller", Header: "x api"}}, `header "x api" is no header name`)
	f(Config{{Kind: "caller", Header: ":path"}}, `header ":path" is no header name`)
	f(Config{{Kind: "caller", Header: "Cookie"}}, "cookie: session")
	f(Config{{Kind: "caller", Cookie: "a=b"}}, `cookie "a=b" is no cookie name`)
	f(Config{{Kind: "caller", Metadata: "user.id"}}, `metadata "user.id": write NAMESPACE:KEY`)
	f(Config{{Kind: "caller", Metadata: "ns:"}}, "write NAMESPACE:KEY")
	f(Config{{Kind: "caller", Address: true, Name: "email"}}, `name "email": say mask, header:NAME, cookie:NAME, jwt_claim:CLAIM or metadata:NAMESPACE:KEY`)
	f(Config{{Kind: "caller", Address: true, Name: "bearer:x"}}, `name "bearer:x": say`)
	f(Config{{Kind: "caller", Address: true, Name: "header:"}}, `name "header:": say`)
	f(Config{{Kind: "caller", Address: true, Name: "header:a b"}}, `name: header "a b" is no header name`)
	f(Config{address, address}, "identity rule 2: caller by address, as rule 1 says already; remove one")
	f(Config{{Kind: "caller", Header: "X-Key"}, {Kind: "caller", Header: "x-key"}}, "rule 2: caller by header x-key, as rule 1")
	f(Config{{Kind: "x"}, {Kind: "y"}}, "identity rule 1", "identity rule 2")
	var many Config
	for i := range maxRules + 1 {
		many = append(many, Rule{Kind: "caller", Header: "x-" + string(rune('a'+i))})
	}
	f(many, "identity rule 9: more than 8 rules for kind caller")
}

func TestTrustedProxies(t *testing.T) {
	for _, n := range []int{-1, 33} {
		if _, err := New(Default(), testSecret, n); err == nil || !strings.Contains(err.Error(), "allowed are 0 to 32") {
			t.Errorf("trusted_proxies %d: %v", n, err)
		}
	}
}
