package identity

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wonted-project/wonted/scoring/profile"
)

// Config is the `identity:` list of the configuration, in order of preference.
type Config []Rule

// Rule says where the entity of one kind is named. Exactly one source is set.
type Rule struct {
	Kind string `yaml:"kind"` // caller | credential | session | user

	Header   string `yaml:"header,omitempty"`    // a request header
	Cookie   string `yaml:"cookie,omitempty"`    // a cookie
	Bearer   bool   `yaml:"bearer,omitempty"`    // the token of Authorization: Bearer
	JWTClaim string `yaml:"jwt_claim,omitempty"` // a claim that Envoy's jwt_authn filter has verified: "sub", "realm.user"
	MTLSSAN  bool   `yaml:"mtls_san,omitempty"`  // URI, else DNS name of a client certificate that Envoy has verified
	Metadata string `yaml:"metadata,omitempty"`  // filter metadata, "namespace:key.path"; only namespaces that no client can write
	Address  bool   `yaml:"address,omitempty"`   // the source address: a fallback, and never a companion

	// Name says what an analyst reads in place of a hash: empty (nothing),
	// "mask" (the first third of the value, at most 11 bytes), or another
	// source, "jwt_claim:email", "header:x-customer", "cookie:user",
	// "metadata:namespace:key.path".
	Name string `yaml:"name,omitempty"`
}

// maxRules bounds the rules of one kind, so that a request's findings fit on the stack.
const maxRules = 8

// Default names callers by x-api-key, else by verified subject, else by
// address; sessions by the cookie "session"; credentials by bearer token.
func Default() Config {
	return Config{
		{Kind: "caller", Header: "x-api-key"},
		{Kind: "caller", JWTClaim: "sub"},
		{Kind: "credential", Bearer: true},
		{Kind: "session", Cookie: "session"},
		{Kind: "caller", Address: true},
	}
}

// Validate reports every mistake, each with the rule's place in the list
// (counted from 1) and what would be right.
func (c Config) Validate() error {
	var errs []error
	seen := map[string]int{}
	count := map[string]int{}
	for i, r := range c {
		if _, err := r.compile(); err != nil {
			errs = append(errs, fmt.Errorf("identity rule %d: %w", i+1, err))
			continue
		}
		key := r.Kind + " by " + r.String()
		if first, twice := seen[key]; twice {
			errs = append(errs, fmt.Errorf("identity rule %d: %s, as rule %d says already; remove one", i+1, key, first))
		}
		seen[key] = i + 1
		if count[r.Kind]++; count[r.Kind] == maxRules+1 {
			errs = append(errs, fmt.Errorf("identity rule %d: more than %d rules for kind %s", i+1, maxRules, r.Kind))
		}
	}
	if len(errs) == 0 && count["caller"] == 0 {
		errs = append(errs, errors.New("identity: no rule names a caller, so nobody would have a profile; add one, for example {kind: caller, address: true}"))
	}
	return errors.Join(errs...)
}

// String is the rule's source in words: "header x-api-key".
func (r Rule) String() string {
	s, err := r.source()
	if err != nil {
		return "no source"
	}
	return s.String()
}

// compile checks the rule and makes it ready to run.
func (r Rule) compile() (rule, error) {
	var out rule
	switch r.Kind {
	case "caller":
		out.kind = profile.KindCaller
	case "credential":
		out.kind = profile.KindCredential
	case "session":
		out.kind = profile.KindSession
	case "user":
		out.kind = profile.KindUser
	case "":
		return out, errors.New("kind is missing: caller, credential, session or user")
	case "address", "network", "device":
		return out, fmt.Errorf("kind %q needs no rule, it is always set; allowed are caller, credential, session and user", r.Kind)
	default:
		return out, fmt.Errorf("unknown kind %q; allowed are caller, credential, session and user", r.Kind)
	}
	var err error
	if out.source, err = r.source(); err != nil {
		return out, err
	}
	out.name, err = parseName(r.Name)
	out.text = out.source.String()
	return out, err
}

// source is the one source that the rule sets.
func (r Rule) source() (source, error) {
	var set []source
	add := func(present bool, op op, spec string) {
		if present {
			set = append(set, source{op: op, name: spec})
		}
	}
	add(r.Header != "", opHeader, r.Header)
	add(r.Cookie != "", opCookie, r.Cookie)
	add(r.Bearer, opBearer, "")
	add(r.JWTClaim != "", opClaim, r.JWTClaim)
	add(r.MTLSSAN, opSAN, "")
	add(r.Metadata != "", opMetadata, r.Metadata)
	add(r.Address, opAddress, "")
	switch len(set) {
	case 0:
		return source{}, errors.New("no source; set one of header, cookie, bearer, jwt_claim, mtls_san, metadata, address")
	case 1:
		return set[0].check()
	}
	var names []string
	for _, s := range set {
		names = append(names, s.op.String())
	}
	return source{}, fmt.Errorf("%d sources (%s) where one is allowed; write a rule for each", len(set), strings.Join(names, ", "))
}

// parseName reads a rule's name option; the zero source is no name.
func parseName(s string) (source, error) {
	switch s {
	case "":
		return source{}, nil
	case "mask":
		return source{op: opMask}, nil
	}
	word, spec, ok := strings.Cut(s, ":")
	for _, o := range []op{opHeader, opCookie, opClaim, opMetadata} {
		if ok && spec != "" && word == o.String() {
			out, err := source{op: o, name: spec}.check()
			if err != nil {
				return out, fmt.Errorf("name: %w", err)
			}
			return out, nil
		}
	}
	return source{}, fmt.Errorf("name %q: say mask, header:NAME, cookie:NAME, jwt_claim:CLAIM or metadata:NAMESPACE:KEY", s)
}
