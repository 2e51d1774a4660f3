package rego

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"
)

// leaf is one value of input.
type leaf struct {
	path   string
	source source
	few    bool
	absent func(*view) bool
	domain
}

// leaves follows a reference to input through the schema. exact: each value
// that the reference can take is one of the leaves'; else it takes them
// together, or parts of them. A name that is not in the schema is never there,
// which needs no part in the key.
func leaves(ref ast.Ref) (all []leaf, exact bool) {
	at := field{name: "input", fields: schema}
	l := leaf{path: "input"}
	for i, t := range ref[1:] {
		name, constant := t.Value.(ast.String)
		switch {
		case at.fields != nil && constant:
			k := slices.IndexFunc(at.fields, func(f field) bool { return f.name == string(name) })
			if k < 0 {
				return nil, true
			}
			at = at.fields[k]
			l.path += "." + string(name)
			if at.absent != nil {
				l.absent = at.absent
			}
		case at.entry != nil && constant:
			l.path += fmt.Sprintf("[%q]", string(name))
			at = field{source: at.entry(string(name)), domain: at.domain}
		case at.entry != nil && at.names != nil && i == len(ref)-2: // any of a few names
			for _, n := range at.names {
				all = append(all, leaf{path: l.path + fmt.Sprintf("[%q]", n), source: at.entry(n), absent: l.absent, domain: at.domain})
			}
			return all, true
		case at.index != nil && isIndex(t):
			l.path += fmt.Sprintf("[%s]", t)
			n, _ := t.Value.(ast.Number).Int()
			at = field{source: at.index(n)}
		default: // a name that evaluation finds, or below a value
			return under(at, l), false
		}
	}
	return under(at, l), at.fields == nil
}

// isIndex answers whether t is a constant place in an array, written plainly.
func isIndex(t *ast.Term) bool {
	n, ok := t.Value.(ast.Number)
	i, whole := n.Int()
	return ok && whole && i >= 0 && string(n) == strconv.Itoa(i)
}

// under are the leaves of a field and of what is below it.
func under(f field, l leaf) []leaf {
	if f.fields == nil {
		l.source, l.few, l.domain = f.source, f.few, f.domain
		return []leaf{l}
	}
	var all []leaf
	for _, sub := range f.fields {
		next := l
		next.path += "." + sub.name
		if sub.absent != nil {
			next.absent = sub.absent
		}
		all = append(all, under(sub, next)...)
	}
	return all
}

// pathOf writes a reference as its author did, as far as it is constant.
func pathOf(ref ast.Ref) string { return ref.ConstantPrefix().String() }
