package rego

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

var contractNames = slices.Sorted(maps.Keys(contract))

func isContract(m *ast.Module) bool { return m.Package.Path.String() == "data."+Package }

// ruleName is the first name of a rule's head, as in deny.x.
func ruleName(r *ast.Rule) string {
	if v, ok := r.Head.Ref()[0].Value.(ast.Var); ok {
		return string(v)
	}
	return ""
}

// checkContract refuses contract rules that are no sets: two that fire at once
// would contradict each other, and fail the decision at run time.
func checkContract(modules map[string]*ast.Module) error {
	var out Problems
	found := false
	var packages []string
	var at *ast.Location // of the first
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		m := modules[name]
		if !isContract(m) {
			at = cmp.Or(at, m.Package.Location)
			packages = append(packages, strings.TrimPrefix(m.Package.Path.String(), "data."))
			continue
		}
		found = true
		for _, r := range m.Rules {
			name := ruleName(r)
			if contract[name] == nil || r.Head.RuleKind() == ast.MultiValue && len(r.Head.Ref()) == 1 && !r.Default {
				continue
			}
			out = append(out, problemAt(r.Location, "%s must be a set", name).hinted("write `%s contains … if { … }`", name))
		}
	}
	if !found {
		p := problemAt(at, "no rules in package %s", Package).hinted("a policy file begins with `package %s`", Package)
		if len(packages) > 0 {
			slices.Sort(packages)
			p.Hint += "; found: " + strings.Join(slices.Compact(packages), ", ")
		}
		out = append(out, p)
	}
	if len(out) > 0 {
		return Problems(sorted(out))
	}
	return nil
}

// check finds what compiles and still looks like a mistake.
func check(c *ast.Compiler, data map[string]any) []Problem {
	var out []Problem
	used := map[string]bool{} // rules of our package that something refers to
	for _, m := range c.Modules {
		ast.WalkRefs(m, func(ref ast.Ref) bool {
			if path := constants(ref); len(path) > 3 && path[1]+"."+path[2] == Package {
				used[path[3]] = true
			}
			return false
		})
	}
	for _, m := range c.Modules {
		for _, r := range m.Rules {
			if isContract(m) {
				out = append(out, checkName(r, used)...)
			}
			ast.WalkRefs(r, func(ref ast.Ref) bool {
				at := r.Location
				if len(ref) > 0 && ref[0].Location != nil && ref[0].Location.Row > 0 {
					at = ref[0].Location
				}
				switch {
				case ref.HasPrefix(ast.InputRootRef):
					out = append(out, checkInput(ref, at)...)
				case ref.HasPrefix(ast.DefaultRootRef) && m.Package.Path.String() != libraryPackage:
					out = append(out, checkData(c, data, ref, at)...)
				}
				return false
			})
		}
	}
	return sorted(append(out, checkFiring(c, data)...))
}

// checkName speaks of a rule that nothing uses and whose name is nearly one of
// the contract's.
func checkName(r *ast.Rule, used map[string]bool) []Problem {
	name := ruleName(r)
	if contract[name] != nil || used[name] {
		return nil
	}
	if near := nearest(name, contractNames); near != "" {
		return []Problem{problemAt(r.Location, "the rule %q has no effect", name).hinted("did you mean %q?", near)}
	}
	return nil
}

// constants is the reference as far as it is constant; the head included.
func constants(ref ast.Ref) []string {
	if len(ref) == 0 {
		return nil
	}
	head, ok := ref[0].Value.(ast.Var)
	if !ok {
		return nil
	}
	path := []string{string(head)}
	for _, t := range ref[1:] {
		s, ok := t.Value.(ast.String)
		if !ok {
			break
		}
		path = append(path, string(s))
	}
	return path
}

// checkInput follows a reference through the schema.
func checkInput(ref ast.Ref, at *ast.Location) []Problem {
	fields, path := schema, "input"
	for i, t := range ref[1:] {
		s, ok := t.Value.(ast.String)
		if !ok {
			return nil
		}
		name := string(s)
		k := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if k < 0 {
			return []Problem{unknown(at, path, name, namesOf(fields))}
		}
		f := &fields[k]
		path += "." + name
		rest := ref[i+2:]
		switch {
		case f.fields != nil:
			fields = f.fields
		case f.entry != nil && len(rest) > 0:
			return checkEntry(f, path, rest[0], at)
		case f.elem != nil && len(rest) > 1:
			names := namesOf(f.elem)
			if name, ok := rest[1].Value.(ast.String); ok && !slices.Contains(names, string(name)) {
				return []Problem{unknown(at, path+"[_]", string(name), names)}
			}
			return nil
		default:
			return nil
		}
	}
	return nil
}

func namesOf(fields []field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

func checkEntry(f *field, path string, t *ast.Term, at *ast.Location) []Problem {
	s, ok := t.Value.(ast.String)
	name := string(s)
	switch {
	case !ok:
		return nil
	case f.names != nil && !slices.Contains(f.names, name):
		return []Problem{unknown(at, path, name, f.names)}
	case path == "input.request.headers" && name != strings.ToLower(name):
		return []Problem{problemAt(at, "%s has lower-case names only", path).hinted("write %q", strings.ToLower(name))}
	}
	return nil
}

func unknown(at *ast.Location, path, name string, names []string) Problem {
	p := problemAt(at, "%s has no %q and is always undefined", path, name)
	if near := nearest(name, names); near != "" {
		return p.hinted("did you mean %q?", near)
	}
	return p.hinted("it has %s", strings.Join(names, ", "))
}

// checkData follows a reference to data through rules and documents.
func checkData(c *ast.Compiler, data map[string]any, ref ast.Ref, at *ast.Location) []Problem {
	path := constants(ref)[1:]
	if len(path) > 1 && path[0] == "wonted" && path[1] == "test" {
		if forTests(at.File) {
			return nil
		}
		return []Problem{problemAt(at, "data.wonted.test is there for tests alone").hinted("put what the policy needs into another data file")}
	}
	tree := c.RuleTree.Child(ast.DefaultRootDocument.Value)
	var doc any = data
	for i, name := range path {
		var names []string
		if tree != nil {
			if len(tree.Values) > 0 {
				return nil // a rule: what its value holds is not known here
			}
			for k := range tree.Children {
				if s, ok := k.(ast.String); ok {
					names = append(names, string(s))
				}
			}
			tree = tree.Child(ast.String(name))
		}
		object, ok := doc.(map[string]any)
		if !ok && doc != nil && tree == nil {
			return nil // an array or a scalar
		}
		names = append(names, slices.Collect(maps.Keys(object))...)
		doc = object[name]
		if _, has := object[name]; has || tree != nil {
			continue
		}
		slices.Sort(names)
		p := problemAt(at, "data.%s is not defined by any rule or data file", strings.Join(path[:i+1], "."))
		if near := nearest(name, names); near != "" {
			return []Problem{p.hinted("did you mean %q?", near)}
		}
		return []Problem{p.hinted("write it into a data file beside the policy, as data.json: {%q: …}", path[0])}
	}
	return nil
}
