package rego

import (
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/policy"
)

// node is what a policy reads below one name of input.
type node struct {
	children map[string]*node
	whole    bool // all of it: it is taken as a value, or by a name known only at evaluation
}

func (n *node) child(name string) *node {
	c := n.children[name]
	if c == nil {
		c = new(node)
		if n.children == nil {
			n.children = map[string]*node{}
		}
		n.children[name] = c
	}
	return c
}

func (n *node) names() []string { return slices.Sorted(maps.Keys(n.children)) }

// inputsOf finds what compiled modules read of input. The compiler has made
// every way of writing it (imports, locals, brackets) a reference that begins
// with input; a reference that goes on by a variable reads all of what it has
// reached, as one that ends does.
func inputsOf(modules map[string]*ast.Module) *node {
	root := new(node)
	for _, m := range modules {
		ast.WalkRefs(m, func(ref ast.Ref) bool {
			if ref.HasPrefix(ast.InputRootRef) {
				at := root
				for _, t := range ref[1:] {
					s, ok := t.Value.(ast.String)
					if !ok {
						break
					}
					at = at.child(string(s))
				}
				at.whole = true
			}
			return false // what stands in brackets may read more
		})
	}
	return root
}

// paths are the paths read, without those below another.
func (n *node) paths() []string {
	var out []string
	var walk func(*node, string)
	walk = func(n *node, path string) {
		if n.whole {
			out = append(out, path)
			return
		}
		for _, name := range n.names() {
			walk(n.children[name], path+"."+name)
		}
	}
	walk(n, "input")
	return out
}

// reads says whether any of the paths, or part of one, is read.
func (n *node) reads(path ...string) bool {
	for _, name := range path {
		if n.whole {
			return true
		}
		if n = n.children[name]; n == nil {
			return false
		}
	}
	return true
}

// phasesOf says in which phases a decision can differ from the one before.
func phasesOf(root *node) (reads [3]bool) {
	reads[policy.PhaseRequest] = true
	reads[policy.PhaseResponse] = root.reads("response") || root.reads("phase")
	reads[policy.PhaseBody] = root.reads("response", "size") || root.reads("response", "records")
	return reads
}
