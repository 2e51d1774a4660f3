package rego

import (
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// growth finds, for every value that the rules make, how many times over it may
// hold one that it is made of. A rule that puts a value into the next twice, and
// that into the next twice, doubles it with every line:
//
//	x1 := [x0, x0]
//	x2 := [x1, x1]
//
// OPA keeps such a value in little memory, each part once, until one step writes
// it out: compares, hashes, prints or returns it. Forty such lines are some 10^12
// parts, in a step that no deadline ends. So a policy in which a value is held
// more than maxCopies times is not loaded.
//
// It is counted in the rules as the compiler has rewritten them, each comprehension
// and call in a variable of its own:
//
//   - input, data, texts, numbers and truths: once
//   - an array, set or object: the sum of what its elements hold
//   - an element of a value: what the value holds; the key beside it: once
//   - a call of a function of the policy: what the function makes of arguments
//     that are held once, times what the largest of its arguments holds
//   - a call of a builtin: the sum of what its arguments hold; once if it answers a
//     text, number or truth, which takes memory as it becomes longer
//   - a rule of several definitions: the largest; a package: the sum of its rules
//   - what is evaluated `with` another input or data: times what these hold
//   - a value from outside that a comprehension, or a rule that makes many
//     elements, puts into its elements as it is: perElement times. How many
//     elements there are is not known here (writing.go looks at that), and making
//     them is as many steps.
type growth struct {
	compiler *ast.Compiler
	rules    map[*ast.Rule]float64
	vars     map[ast.Var]held // of the rule that is being looked at
	depth    int              // of what makes many elements, around the expression
	found    *ast.Error       // the first
}

// held is how many times a variable's value holds what it is made of, and the
// depth where it is bound.
type held struct {
	copies float64
	depth  int
}

const (
	maxCopies  = 4096
	perElement = 8
)

// growthError is the code of what this stage of the compiler finds.
const growthError = "growth"

// checkGrowth is a stage of the compiler. It comes before the types are checked,
// which for such a value would not come to an end either.
var checkGrowth = ast.CompilerStageDefinition{
	Name:       "CheckGrowth",
	MetricName: "compile_stage_check_growth",
	Stage: func(c *ast.Compiler) *ast.Error {
		g := growth{compiler: c, rules: map[*ast.Rule]float64{}}
		for _, name := range slices.Sorted(maps.Keys(c.Modules)) {
			for _, r := range c.Modules[name].Rules {
				g.rule(r)
			}
		}
		return g.found
	},
}

// rule is what the rule's value holds; a function's, of arguments held once.
func (g *growth) rule(r *ast.Rule) float64 {
	if n, known := g.rules[r]; known {
		return n
	}
	outer := *g
	defer func() { g.vars, g.depth = outer.vars, outer.depth }()
	most := 1.0
	for def := r; def != nil; def = def.Else {
		g.vars, g.depth = map[ast.Var]held{}, 0
		for _, arg := range def.Head.Args {
			g.bind(arg, 1)
		}
		if def.Head.RuleKind() == ast.MultiValue || !def.Ref().IsGround() {
			g.depth = 1
		}
		g.body(def.Body)
		n := 0.0
		for _, t := range []*ast.Term{def.Head.Key, def.Head.Value} {
			if t != nil {
				n += g.term(t)
			}
		}
		most = max(most, g.limited(n, def.Location, "the rule "+ruleName(r)))
	}
	g.rules[r] = most
	return most
}

func (g *growth) body(b ast.Body) {
	for _, e := range b {
		g.expr(e)
	}
}

func (g *growth) expr(e *ast.Expr) {
	times := 0.0 // what is evaluated with a value in the place of input or data may hold it
	for _, w := range e.With {
		times += g.term(w.Value)
	}
	times = max(times, 1)
	switch t := e.Terms.(type) {
	case *ast.Term:
		g.term(t)
	case *ast.Every:
		g.bind(t.Value, g.term(t.Domain))
		g.elements(t.Body)
	case []*ast.Term:
		if e.IsEquality() {
			g.keys(t[1])
			g.keys(t[2])
			left, right := times*g.term(t[1]), times*g.term(t[2])
			g.bind(t[1], g.limited(right, e.Location, g.name(t[1])))
			g.bind(t[2], g.limited(left, e.Location, g.name(t[2])))
			return
		}
		args := t[1:]
		n, arity := g.call(t[0], args)
		if arity < len(args) {
			g.bind(args[arity], g.limited(times*n, e.Location, "what "+t[0].String()+" answers"))
		}
	}
}

// name is what the policy calls a variable.
func (g *growth) name(t *ast.Term) string {
	v, ok := t.Value.(ast.Var)
	if !ok {
		return "what is compared here"
	}
	if written, ok := g.compiler.RewrittenVars[v]; ok {
		v = written
	}
	if v.IsGenerated() {
		return "what is made here"
	}
	return string(v)
}

// limited complains of what is more than there may be, once: it goes on as if
// that were one.
func (g *growth) limited(copies float64, at *ast.Location, what string) float64 {
	if copies <= maxCopies {
		return copies
	}
	if g.found == nil {
		g.found = ast.NewError(growthError, at, "%s may hold one value %.0f times over, more than %d", what, copies, maxCopies)
	}
	return 1
}
