package identity

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNamespaces(t *testing.T) {
	f := func(rules Config, want ...string) {
		t.Helper()
		if d := cmp.Diff(want, rules.Namespaces()); d != "" {
			t.Errorf("%v: %s", rules, d)
		}
	}
	f(Config{{Kind: "caller", Header: "x-api-key"}, {Kind: "caller", Address: true}})
	f(Default(), jwtNamespace)
	f(Config{
		{Kind: "caller", Metadata: "envoy.filters.http.ext_authz:user.id"},
		{Kind: "caller", Header: "x-api-key", Name: "jwt_claim:email"},
		{Kind: "user", JWTClaim: "sub", Name: "metadata:company.auth:name"},
	}, "envoy.filters.http.ext_authz", jwtNamespace, "company.auth")
}
