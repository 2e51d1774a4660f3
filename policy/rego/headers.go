package rego

import (
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/policy"
)

const wantHeader = `an object of "name" and "value", and perhaps "for" (an action)`

func setHeader(to *[]policy.HeaderWish, v ast.Value) error {
	return setWish(to, v, wantHeader, "name", headerName)
}

// setWish takes a name, as its member is called and must look, and its value.
func setWish(to *[]policy.HeaderWish, v ast.Value, want, member string, look func(ast.Value) (string, error)) error {
	w := policy.HeaderWish{For: policy.Allow}
	var given bool
	err := object(v, want, func(name string, v ast.Value) (known bool, err error) {
		switch name {
		case member:
			w.Name, err = look(v)
		case "value":
			given = true
			w.Value, err = headerText(v)
		case "for":
			w.For, err = action(v)
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && (w.Name == "" || !given) {
		err = fmt.Errorf("want %s", want)
	}
	*to = append(*to, w)
	return err
}

func removeHeader(to *[]policy.HeaderWish, v ast.Value) error {
	name, err := headerName(v)
	*to = append(*to, policy.HeaderWish{HeaderRule: policy.HeaderRule{Name: name, Remove: true}, For: policy.Allow})
	return err
}

// framing are the headers by which HTTP and Envoy find their way: a mutation
// would desynchronise the connection, or make Envoy refuse the whole answer.
var framing = map[string]bool{
	"host": true, "content-length": true, "transfer-encoding": true, "connection": true,
	"keep-alive": true, "proxy-connection": true, "te": true, "trailer": true, "upgrade": true,
}

// headerName is a lower-case token (RFC 9110, 5.1) that a policy may touch.
func headerName(v ast.Value) (string, error) {
	s, err := plain(v)
	if err != nil {
		return "", err
	}
	s = strings.ToLower(s)
	switch {
	case strings.HasPrefix(s, ":"):
		return "", fmt.Errorf("%q: a policy cannot change pseudo-headers", s)
	case framing[s]:
		return "", fmt.Errorf("%q: a policy cannot change what frames the message", s)
	case strings.HasPrefix(s, "x-envoy-"):
		return "", fmt.Errorf("%q: a policy cannot change what steers Envoy", s)
	case s == "" || strings.ContainsFunc(s, notToken):
		return "", fmt.Errorf("%q is no header name", s)
	}
	return s, nil
}

func notToken(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
}

// headerText takes what is written the same way in a header and in Rego.
func headerText(v ast.Value) (string, error) {
	switch v := v.(type) {
	case ast.String:
		if strings.ContainsFunc(string(v), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return "", fmt.Errorf("%q: control characters cannot stand in a header", string(v))
		}
		return string(v), nil
	case ast.Number, ast.Boolean:
		return v.String(), nil
	}
	return "", fmt.Errorf("it is %s, want a string, a number or a boolean", kind(v))
}

func action(v ast.Value) (policy.Action, error) {
	for _, a := range []policy.Action{policy.Allow, policy.Throttle, policy.Challenge, policy.Deny} {
		if v.Compare(ast.String(a.String())) == 0 {
			return a, nil
		}
	}
	return 0, fmt.Errorf(`%s: want "allow", "throttle", "challenge" or "deny"`, short(v))
}
