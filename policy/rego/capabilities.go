package rego

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// removed are the builtins that a policy may not use, and what to do instead.
// Two principles: nothing in the request path waits on a network, and a
// decision depends on input and data alone, so that it can be replayed.
var removed = map[string]string{
	"http.send":              "a request never waits on the network; put what you need into a data file beside the policy",
	"net.lookup_ip_addr":     "a request never waits on name resolution; put addresses into a data file beside the policy",
	"opa.runtime":            "a policy does not read the environment; put settings into a data file beside the policy",
	"rego.parse_module":      "policies are compiled when they are loaded, not for each request",
	"trace":                  "it has no reader here; give the rule a reason instead",
	"rand.intn":              "decisions must be repeatable; use input.request.id as a source of chance",
	"uuid.rfc4122":           "decisions must be repeatable; use input.request.id, which is random",
	"time.now_ns":            "decisions must be repeatable; use input.time.unix, input.time.hour or input.time.weekday",
	"io.jwt.decode_verify":   "it looks at the clock; Envoy verifies tokens: use input.identity.verified",
	"json.match_schema":      "a schema may refer to another on the network; compare the values themselves",
	"json.verify_schema":     "a schema may refer to another on the network; compare the values themselves",
	"io.jwt.encode_sign":     "a policy keeps no signing keys",
	"io.jwt.encode_sign_raw": "a policy keeps no signing keys",
	"providers.aws.sign_req": "a policy keeps no signing keys",
}

// capabilities are those of this OPA without the removed builtins.
func capabilities() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	c.Builtins = slices.DeleteFunc(slices.Clone(c.Builtins), func(b *ast.Builtin) bool {
		return removed[b.Name] != "" || b.IsNondeterministic()
	})
	c.AllowNet = []string{} // empty: no host, not even for schemas; nil would be every host
	return c
}

func builtinNames() (names []string) {
	for _, b := range capabilities().Builtins {
		names = append(names, b.Name)
	}
	return names
}
