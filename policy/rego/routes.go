package rego

import (
	"regexp"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// routeName is how a route is written in a policy.
var routeName = regexp.MustCompile(`^[A-Z]+ /[!-~]*$`)

// Routes are the names of routes ("GET /v1/export") that the policy or its data
// mention, sorted: the table of routes is to keep them.
func (e *Engine) Routes() []string { return slices.Clone(e.routes) }

func routesOf(modules map[string]*ast.Module, data map[string]any) []string {
	var all []string
	note := func(s string) {
		if routeName.MatchString(s) {
			all = append(all, s)
		}
	}
	for _, m := range modules {
		ast.WalkTerms(m, func(t *ast.Term) bool {
			if s, ok := t.Value.(ast.String); ok {
				note(string(s))
			}
			return false
		})
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			note(v)
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for k, e := range v {
				note(k)
				walk(e)
			}
		}
	}
	walk(data)
	slices.Sort(all)
	return slices.Compact(all)
}
