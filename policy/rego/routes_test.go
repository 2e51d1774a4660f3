package rego

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
)

func TestRoutesOfAPolicy(t *testing.T) {
	m, err := ast.ParseModuleWithOpts("p.rego", `package wonted.policy
deny contains "no GET /reason of a sentence" if input.request.route == "GET /v1/export"
deny contains "b" if input.request.route in {"POST /graphql#Purge", "DELETE /v1/users/root"}
deny contains "c" if startswith(input.request.route, "PUT /v1/admin")
deny contains "d" if input.request.route in data.routes.closed
`, ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		t.Fatal(err)
	}
	e, err := newEngine(map[string]*ast.Module{"p.rego": m}, map[string]any{"routes": map[string]any{"closed": []any{"GET /old", "get /x", 1.0}, "GET /key": true}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"DELETE /v1/users/root", "GET /key", "GET /old", "GET /v1/export", "POST /graphql#Purge", "PUT /v1/admin"}
	if d := cmp.Diff(want, e.Routes()); d != "" {
		t.Error(d)
	}
}
