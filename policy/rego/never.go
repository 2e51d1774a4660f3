package rego

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// demand is what a rule asks of one value of input: that `value op c` holds for
// one of the constants; `c op value` where flipped.
type demand struct {
	op      string
	of      []ast.Value
	flipped bool
	at      *ast.Location
}

// demands are those of one rule, by the path of the value.
type demands struct {
	leaves map[string]leaf
	of     map[string][]demand
}

// checkNever finds conditions that never hold: they ask for what a value of
// input never is, or for what conditions before them have excluded.
//
// It looks at the conditions that a rule states plainly, one after the other,
// and of these at comparisons with constants. What it does not understand it
// takes to hold.
func checkNever(c *ast.Compiler, data map[string]any, r *ast.Rule) []Problem {
	s := newScan(&analysis{facts: facts{rules: c.RuleTree, base: data}, probes: map[string]*probe{}, pairs: map[[2]string]pair{}}, r)
	s.run()
	d := demands{leaves: map[string]leaf{}, of: map[string][]demand{}}
	var out []Problem
	told := map[string]bool{}
	for _, e := range r.Body {
		if e.Negated || len(e.With) > 0 {
			continue
		}
		for _, path := range d.take(s, e) {
			if p, never := d.contradiction(path); never && !told[path] {
				out = append(out, p)
				told[path] = true
			}
		}
	}
	return out
}

// take notes what an expression asks for, and of which paths.
func (d *demands) take(s *scan, e *ast.Expr) (paths []string) {
	switch t := e.Terms.(type) {
	case *ast.Term:
		if l, ok := s.leaf(t); ok {
			paths = append(d.presence(l, e), d.add(l, demand{op: condition, at: e.Location}))
		}
	case []*ast.Term:
		for i, self := range t[1:] {
			l, ok := s.leaf(self)
			if !ok {
				continue
			}
			paths = append(paths, d.presence(l, e)...)
			if len(t) != 3 {
				continue
			}
			if values, ok := s.constants(t[2-i]); ok && len(values) > 0 {
				paths = append(paths, d.add(l, demand{e.Operator().String(), values, i == 1, e.Location}))
			}
		}
	}
	return paths
}

// presence: what is used has to be there, and a response is not in every phase.
func (d *demands) presence(l leaf, e *ast.Expr) []string {
	if l.absent == nil {
		return nil
	}
	phase, _ := leaves(ast.MustParseRef("input.phase"))
	return []string{d.add(phase[0], demand{op: "neq", of: []ast.Value{ast.String("request")}, at: e.Location})}
}

func (d *demands) add(l leaf, x demand) (path string) {
	d.leaves[l.path] = l
	d.of[l.path] = append(d.of[l.path], x)
	return l.path
}

// leaf is the value of input that a term stands for.
func (s *scan) leaf(t *ast.Term) (l leaf, ok bool) {
	var ref ast.Ref
	switch x := t.Value.(type) {
	case ast.Ref:
		ref = x
	case ast.Var:
		if !s.first[x] || len(s.bound[x]) != 1 {
			return leaf{}, false
		}
		ref = s.bound[x][0]
	default:
		return leaf{}, false
	}
	full, isInput := s.input(ref)
	if !isInput {
		return leaf{}, false
	}
	all, exact := leaves(full)
	if !exact || len(all) != 1 {
		return leaf{}, false
	}
	return all[0], true
}

// contradiction answers whether no value meets what is asked of the path.
func (d *demands) contradiction(path string) (p Problem, never bool) {
	l, all := d.leaves[path], d.of[path]
	values, known := l.candidates(all)
	if !known || satisfiable(values, all) {
		return Problem{}, false
	}
	last := all[len(all)-1]
	if !satisfiable(values, all[len(all)-1:]) {
		return l.never(last), true
	}
	for _, other := range all {
		if other.at.Row != last.at.Row || other.at.Col != last.at.Col {
			return problemAt(last.at, "this is never true where the condition in line %d is: both are about %s", other.at.Row, path), true
		}
	}
	return problemAt(last.at, "the conditions on %s are never true together", path), true
}

func satisfiable(values []ast.Value, all []demand) bool {
	return slices.ContainsFunc(values, func(v ast.Value) bool {
		return !slices.ContainsFunc(all, func(d demand) bool { return !d.holds(v) })
	})
}

// never says that the value is never what is asked.
func (l *leaf) never(d demand) Problem {
	switch l.source.(type) {
	case count, decimal:
		if len(d.of) > 0 {
			if _, number := d.of[0].(ast.Number); !number && d.op != "internal.member_2" {
				return problemAt(d.at, "this is never true: %s is a number and %s is not", l.path, short(d.of[0]))
			}
		}
		if l.most > 0 {
			return problemAt(d.at, "this is never true: %s is from 0 to %v", l.path, l.most)
		}
		return problemAt(d.at, "this is never true: %s is never below 0", l.path)
	case flag:
		return problemAt(d.at, "this is never true: %s is true or false", l.path)
	}
	p := problemAt(d.at, "this is never true for %s", l.path)
	asked := d.strings()
	switch {
	case l.words != nil:
		for _, s := range asked {
			if near := nearestFold(s, l.words); near != "" {
				return p.hinted("did you mean %q?", near)
			}
		}
		return p.hinted("it is one of %s", strings.Join(l.words, ", "))
	case l.form != "":
		return p.hinted("it is written as in %q", l.such)
	}
	return p.hinted("it is a string")
}

func nearestFold(s string, names []string) string {
	for _, n := range names {
		if strings.EqualFold(s, n) {
			return n
		}
	}
	return nearest(s, names)
}

// strings are those that are asked for.
func (d *demand) strings() (all []string) {
	for _, v := range d.of {
		if s, ok := v.(ast.String); ok {
			all = append(all, string(s))
		}
		if d.op == "internal.member_2" {
			eachMember(v, func(m ast.Value) {
				if s, ok := m.(ast.String); ok {
					all = append(all, string(s))
				}
			})
		}
	}
	return all
}
