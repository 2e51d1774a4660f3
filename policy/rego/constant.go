package rego

import (
	"github.com/open-policy-agent/opa/v1/ast"
)

// facts finds what a policy's references to data stand for where that is
// the same for every exchange and plain to see: base data, and rules that are
// nothing but a value.
type facts struct {
	rules *ast.TreeNode
	base  map[string]any
}

// value is !ok where t is no constant.
func (c *facts) value(t *ast.Term) (v ast.Value, ok bool) {
	ref, ok := t.Value.(ast.Ref)
	if !ok {
		return t.Value, ast.IsConstant(t.Value)
	}
	if !ref.HasPrefix(ast.DefaultRootRef) || len(ref) < 2 {
		return nil, false
	}
	rules, doc := c.rules.Child(ast.DefaultRootDocument.Value), any(c.base)
	for i, t := range ref[1:] {
		name, ok := t.Value.(ast.String)
		if !ok {
			return nil, false
		}
		if rules != nil {
			rules = rules.Child(name)
		}
		if rules != nil && len(rules.Values) > 0 {
			return find(ruleValue(rules, ref[:i+2]), ref[i+2:])
		}
		o, _ := doc.(map[string]any)
		doc = o[string(name)]
	}
	if rules != nil || doc == nil {
		return nil, false // it is a package, or not there (or null: no matter)
	}
	v, err := ast.InterfaceToValue(doc)
	return v, err == nil
}

func find(v ast.Value, path ast.Ref) (ast.Value, bool) {
	if v == nil {
		return nil, false
	}
	if len(path) == 0 {
		return v, true
	}
	if !path.IsGround() {
		return nil, false
	}
	v, err := v.Find(path)
	return v, err == nil
}

// ruleValue is the value of the rules at a node, nil unless they are only that:
// `name := value`, or `name contains value`, without a condition.
func ruleValue(n *ast.TreeNode, at ast.Ref) ast.Value {
	if len(n.Children) > 0 {
		return nil
	}
	set := ast.NewSet()
	for _, r := range n.Values {
		if !unconditional(r) || !r.Ref().GroundPrefix().Equal(at) || !r.Ref().IsGround() {
			return nil
		}
		switch {
		case r.Head.RuleKind() == ast.MultiValue && r.Head.Key != nil && ast.IsConstant(r.Head.Key.Value):
			set.Add(r.Head.Key)
		case r.Head.RuleKind() == ast.SingleValue && len(n.Values) == 1 && r.Head.Value != nil && ast.IsConstant(r.Head.Value.Value):
			return r.Head.Value.Value
		default:
			return nil
		}
	}
	return set
}

func unconditional(r *ast.Rule) bool {
	if r.Default || r.Else != nil || len(r.Head.Args) > 0 || len(r.Body) != 1 {
		return false
	}
	e := r.Body[0]
	t, ok := e.Terms.(*ast.Term)
	return ok && !e.Negated && len(e.With) == 0 && t.Value.Compare(ast.Boolean(true)) == 0
}
