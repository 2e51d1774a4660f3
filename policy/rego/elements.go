package rego

import (
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"

	"github.com/wonted-project/wonted/policy"
)

// checkElements looks at what the contract rules hold, in modules as they were
// parsed. The types are the compiler's.
func checkElements(modules map[string]*ast.Module, env *ast.TypeEnv) (out []Problem) {
	for _, m := range modules {
		if !isContract(m) {
			continue
		}
		for _, r := range m.Rules {
			out = append(out, checkElement(r, env)...)
			if ruleName(r) == "allow" && unconditional(r) {
				out = append(out, problemAt(r.Location, "allow without a condition lifts every deny, challenge and throttle").hinted("say when: allow contains … if { … }"))
			}
		}
	}
	return out
}

// checkElement finds what a contract rule can not hold, as its author wrote it:
// where it is no constant, by the types of its parts. What has any type is taken
// to be right.
func checkElement(r *ast.Rule, env *ast.TypeEnv) []Problem {
	name := ruleName(r)
	decode := contract[name]
	if decode == nil || r.Head.Key == nil {
		return nil
	}
	v := standIn(r.Head.Key, right[name], env)
	if v == nil {
		return nil
	}
	if err := decode(new(policy.Rules), v); err != nil {
		return []Problem{problemAt(r.Head.Key.Location, "%s cannot hold this: %v", name, err).hinted("write it as in %s", examples[name])}
	}
	return nil
}

var examples = map[string]string{
	"deny":                    "deny contains \"why\" or deny contains {\"reason\": \"why\", \"status\": 404}",
	"challenge":               "challenge contains \"why\" or challenge contains {\"reason\": \"why\", \"realm\": \"api\"}",
	"throttle":                "throttle contains \"why\" or throttle contains {\"reason\": \"why\", \"retry_after\": 30}",
	"allow":                   "allow contains \"why\"",
	"response_budget":         "response_budget contains {\"records\": 1000}",
	"inspect":                 "inspect contains \"why\"",
	"severity":                "severity contains \"high\"",
	"quarantine":              "quarantine contains {\"entity\": \"session\", \"ttl\": \"15m\"}",
	"request_headers":         "request_headers contains {\"name\": \"x-risk\", \"value\": \"high\"}",
	"response_headers":        "response_headers contains {\"name\": \"x-risk\", \"value\": \"high\"}",
	"remove_request_headers":  "remove_request_headers contains \"x-internal\"",
	"remove_response_headers": "remove_response_headers contains \"server\"",
	"metadata":                "metadata contains {\"key\": \"tier\", \"value\": \"high\"}",
}

// right are elements and fields of elements that are accepted; those of their
// types stand for what is only known when a rule is evaluated.
var right = map[string]ast.Value{
	"deny": ast.String("why"), "challenge": ast.String("why"), "throttle": ast.String("why"), "allow": ast.String("why"),
	"inspect": ast.String("why"), "severity": ast.String("low"),
	"remove_request_headers": ast.String("x-a"), "remove_response_headers": ast.String("x-a"),

	"reason": ast.String("why"), "status": ast.Number("403"), "retry_after": ast.Number("1"), "realm": ast.String("api"),
	"acr_values": ast.String("phr"), "max_age": ast.Number("1"), "redirect": ast.String("/login"), "quota": ast.Number("1"), "window": ast.Number("1"),
	"rule": ast.String("exports"), "shadow": ast.Boolean(true), "rollout": ast.Number("25"), "cohorts": ast.NewArray(ast.StringTerm("person")),
	"records": ast.Number("1"), "bytes": ast.Number("1"), "usual": ast.Number("1"),
	"entity": ast.String("caller"), "ttl": ast.String("1m"),
	"name": ast.String("x-a"), "key": ast.String("a"), "value": ast.String("a"), "for": ast.String("deny"),
}

// standIn is t where that is a constant, else a value of its type: accepted, if
// that is of the type. nil: nothing is known.
func standIn(t *ast.Term, accepted ast.Value, env *ast.TypeEnv) ast.Value {
	if ast.IsConstant(t.Value) {
		return t.Value
	}
	if o, ok := t.Value.(ast.Object); ok {
		return standInObject(o, env)
	}
	v := ofType(typeOf(t, env))
	if accepted != nil && v != nil && kind(v) == kind(accepted) {
		return accepted
	}
	return v
}

func standInObject(o ast.Object, env *ast.TypeEnv) ast.Value {
	out := ast.NewObject()
	for _, k := range o.Keys() {
		name, constant := k.Value.(ast.String)
		if !constant {
			return nil
		}
		accepted := right[string(name)]
		v := standIn(o.Get(k), accepted, env)
		if v == nil {
			v = accepted
		}
		if v == nil {
			v = ast.Null{} // of a field that is not known at all
		}
		out.Insert(k, ast.NewTerm(v))
	}
	return out
}

// typeOf is nil where it is not known.
func typeOf(t *ast.Term, env *ast.TypeEnv) types.Type {
	switch x := t.Value.(type) {
	case ast.Call:
		if b := ast.BuiltinMap[x[0].String()]; b != nil {
			return b.Decl.NamedResult()
		}
		return nil
	case ast.Ref:
		if !x.HasPrefix(ast.InputRootRef) || !x.IsGround() {
			return nil
		}
		return env.GetByValue(x)
	case *ast.Array:
		return types.NewArray(nil, nil)
	case ast.Set, *ast.SetComprehension:
		return types.NewSet(types.A)
	case *ast.ArrayComprehension:
		return types.NewArray(nil, types.A)
	case *ast.TemplateString:
		return types.S
	}
	return nil
}

// ofType is some value of a type that says something.
func ofType(t types.Type) ast.Value {
	switch t := t.(type) {
	case *types.NamedType:
		return ofType(t.Type)
	case types.String:
		return ast.String("a")
	case types.Number:
		return ast.Number("1")
	case types.Boolean:
		return ast.Boolean(true)
	case types.Null:
		return ast.Null{}
	case *types.Array:
		return ast.NewArray()
	case *types.Set:
		return ast.NewSet()
	}
	return nil
}
