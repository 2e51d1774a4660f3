package rego

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// growth.go bounds what the rules make of one value. How large it comes out with
// the data of an exchange is not known before: `[a | some _ in a]` of a thousand
// elements is a million, that OPA keeps as a thousand until one of these builtins
// writes them out, in a step that looks at no deadline. So they measure first.
var writers = []string{
	ast.JSONMarshal.Name, ast.JSONMarshalWithOptions.Name, ast.YAMLMarshal.Name,
	ast.Sprintf.Name, ast.InternalTemplateString.Name, ast.RenderTemplate.Name,
}

const (
	maxWritten = 1 << 18 // that are written out; more takes longer than a decision may
	maxShift   = 1 << 16 // bits
)

var errTooLarge = errors.New("too large to be computed while a request waits")

// init replaces them in OPA's table, which is the one place where it looks for
// its own.
func init() {
	for _, name := range writers {
		guard(name, func(args []*ast.Term) bool {
			left := maxWritten
			for _, t := range args {
				spend(&left, t)
			}
			return left >= 0
		})
	}
	guard(ast.BitsShiftLeft.Name, func(args []*ast.Term) bool {
		by, _ := args[1].Value.(ast.Number)
		n, ok := new(big.Float).SetString(string(by))
		return !ok || !n.IsInt() || n.Cmp(big.NewFloat(maxShift)) <= 0 // OPA complains of what is no whole number
	})
}

// guard lets a builtin work on what fits alone, and ends the decision otherwise.
func guard(name string, fits func(args []*ast.Term) bool) {
	work := topdown.GetBuiltin(name)
	topdown.RegisterBuiltinFunc(name, func(ctx topdown.BuiltinContext, args []*ast.Term, iter func(*ast.Term) error) error {
		if !fits(args) {
			return topdown.Halt{Err: fmt.Errorf("%s: %s: %w", ctx.Location, name, errTooLarge)}
		}
		return work(ctx, args, iter)
	})
}

// spend takes from left the parts that a value has, until none is left.
func spend(left *int, t *ast.Term) bool {
	if *left--; *left < 0 {
		return true
	}
	switch v := t.Value.(type) {
	case *ast.Array:
		return v.Until(func(t *ast.Term) bool { return spend(left, t) })
	case ast.Set:
		return v.Until(func(t *ast.Term) bool { return spend(left, t) })
	case ast.Object:
		return v.Until(func(k, v *ast.Term) bool { return spend(left, k) || spend(left, v) })
	}
	return false
}
