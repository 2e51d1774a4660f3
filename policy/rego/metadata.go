package rego

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/policy"
)

const wantMetadata = `an object of "key" and "value", and perhaps "for" (an action)`

// setMetadata takes what is to stand in Envoy's dynamic metadata beside the
// verdict, for its access log and later filters. Values are strings there,
// however the policy writes them.
func setMetadata(to *[]policy.HeaderWish, v ast.Value) error {
	return setWish(to, v, wantMetadata, "key", metadataKey)
}

// ownKeys are what wonted itself says under its name.
var ownKeys = []string{"id", "score", "action", "mode", "class", "awaited"}

func metadataKey(v ast.Value) (string, error) {
	s, err := plain(v)
	if err != nil {
		return "", err
	}
	switch {
	case slices.Contains(ownKeys, s):
		return "", fmt.Errorf("%q: a policy cannot change what wonted says itself", s)
	case len(s) == 0 || len(s) > 64 || strings.ContainsFunc(s, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_') }):
		return "", fmt.Errorf("%q is no key: 1 to 64 of a to z, 0 to 9 and _", s)
	}
	return s, nil
}
