package rego

import (
	"maps"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

// What growth counts of the terms of an expression.

// call is what a call's answer holds, and how many of its operands are arguments.
func (g *growth) call(operator *ast.Term, operands []*ast.Term) (copies float64, arity int) {
	name := operator.Value.(ast.Ref)
	builtin, function := ast.BuiltinMap[name.String()], g.compiler.GetRulesExact(name)
	switch {
	case builtin != nil:
		arity = builtin.Decl.Arity()
	case len(function) > 0:
		arity = len(function[0].Head.Args)
	}
	arity = min(arity, len(operands))
	var sum, most float64
	for _, t := range operands[:arity] {
		n := g.limited(g.term(t), operator.Location, "what "+name.String()+" is given")
		sum, most = sum+n, max(most, n)
	}
	if builtin != nil {
		if isScalar(builtin.Decl.Result()) {
			return 1, arity
		}
		return sum, arity
	}
	made := 1.0
	for _, r := range function {
		made = max(made, g.rule(r))
	}
	return made * max(most, 1), arity
}

// term is what a term holds: 0 if it is a constant.
func (g *growth) term(t *ast.Term) (n float64) {
	add := func(t *ast.Term) { n += g.term(t) }
	switch v := t.Value.(type) {
	case ast.Var:
		return g.ref(ast.Ref{t})
	case ast.Ref:
		return g.ref(v)
	case *ast.Array:
		v.Foreach(add)
	case ast.Set:
		v.Foreach(add)
	case ast.Object:
		v.Foreach(func(k, v *ast.Term) { add(k); add(v) })
	case *ast.ArrayComprehension:
		return g.elements(v.Body, v.Term)
	case *ast.SetComprehension:
		return g.elements(v.Body, v.Term)
	case *ast.ObjectComprehension:
		return g.elements(v.Body, v.Key, v.Value)
	case ast.Call:
		n, _ = g.call(v[0], v[1:])
	}
	return n
}

// elements is what an element holds that the body makes. What the body binds is
// not known outside.
func (g *growth) elements(body ast.Body, element ...*ast.Term) (n float64) {
	outer := g.vars
	g.vars = maps.Clone(outer)
	g.depth++
	g.body(body)
	for _, t := range element {
		n += g.term(t)
	}
	g.depth--
	g.vars = outer
	return n
}

// ref is what the value holds that a reference comes to.
func (g *growth) ref(ref ast.Ref) (n float64) {
	depth := 0
	switch head, ok := ref[0].Value.(ast.Var); {
	case !ok:
		n, depth = g.term(ref[0]), g.depth
	case head.Equal(ast.InputRootDocument.Value):
		return 1
	case head.Equal(ast.DefaultRootDocument.Value):
		n = g.data(ref)
	default:
		v, bound := g.vars[head]
		if !bound {
			return 0
		}
		n, depth = v.copies, v.depth
	}
	for _, t := range ref[1:] {
		g.bind(t, n)
	}
	if depth < g.depth && ref.IsGround() {
		n *= perElement
	}
	return max(n, 1)
}

// data is what the rules hold that a reference may mean.
func (g *growth) data(ref ast.Ref) (n float64) {
	paths := map[string]float64{}
	for _, r := range g.compiler.GetRulesDynamicWithOpts(ref, ast.RulesOptions{IncludeHiddenModules: true}) {
		path := r.Ref().GroundPrefix().String()
		paths[path] = max(paths[path], g.rule(r))
	}
	for _, copies := range paths {
		n += copies
	}
	return max(n, 1)
}

// keys binds those by which `value = ref[key]` iterates: they are texts and numbers,
// beside the value.
func (g *growth) keys(t *ast.Term) {
	if ref, ok := t.Value.(ast.Ref); ok {
		for _, key := range ref[1:] {
			g.bind(key, 1)
		}
	}
}

// bind gives the variables of a pattern that have no value yet one.
func (g *growth) bind(pattern *ast.Term, copies float64) {
	vars := ast.NewVarVisitor().WithParams(ast.VarVisitorParams{SkipRefHead: true, SkipClosures: true})
	vars.Walk(pattern)
	for v := range vars.Vars() {
		if _, bound := g.vars[v]; !bound {
			g.vars[v] = held{copies: max(copies, 1), depth: g.depth}
		}
	}
}

func isScalar(answer types.Type) bool {
	switch answer.(type) {
	case types.Number, types.String, types.Boolean, types.Null:
		return true
	}
	return false
}
