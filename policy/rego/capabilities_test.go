package rego

import (
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Whatever is taken away, its user is told why and what to do instead.
func TestEveryBuiltinThatIsGoneSaysWhy(t *testing.T) {
	left := map[string]bool{}
	for _, b := range capabilities().Builtins {
		left[b.Name] = true
	}
	gone := 0
	for _, b := range ast.CapabilitiesForThisVersion().Builtins {
		if left[b.Name] {
			continue
		}
		gone++
		args := strings.TrimSuffix(strings.Repeat("1, ", len(b.Decl.FuncArgs().Args)), ", ")
		_, err := FromSource("p.rego", []byte("package wonted.policy\ndeny contains \"x\" if "+b.Name+"("+args+")"))
		if err == nil || !strings.Contains(err.Error(), b.Name+" is not allowed in a policy: ") {
			t.Errorf("%s: %v", b.Name, err)
		}
	}
	if gone < 8 {
		t.Errorf("only %d are gone", gone)
	}
}
