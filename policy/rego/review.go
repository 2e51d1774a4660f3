package rego

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

//go:embed starter/schema/input/schema.json
var inputJSONSchema []byte

// Review is what an author is told of a policy.
type Review struct {
	Revision   string    `json:"revision"` // "" where the policy does not compile
	Files      []string  `json:"files"`
	Problems   []Problem `json:"problems"`
	Inputs     []string  `json:"inputs"`     // paths that its decisions read
	Unmemoised []Problem `json:"unmemoised"` // the lines for which every request is evaluated; empty: decisions are remembered
}

// Mistakes are the problems that are no mere notes.
func (r *Review) Mistakes() (n int) {
	for _, p := range r.Problems {
		if !p.Note {
			n++
		}
	}
	return n
}

// Check reads the policy of a directory as Load does, and its tests, and tells
// all that looks like a mistake: what Load refuses, what it warns of, and what
// OPA minds in its strict mode and by the types of the published input. The
// error is for a directory that cannot be read at all.
func Check(dir string) (*Review, error) {
	f, err := read(dir, skipForeign)
	if err == nil && len(f.modules) == 0 {
		err = noPolicy()
	}
	if len(flatten(err)) > 0 {
		return refused(nil, err), nil
	}
	if err != nil {
		return nil, fmt.Errorf("check policy %s: %w", dir, err)
	}
	everything := f.everything()
	names := slices.Sorted(maps.Keys(everything))
	e, err := newEngine(f.modules, f.data)
	if err != nil {
		return refused(names, err), nil
	}
	r := &Review{Revision: f.revision, Files: names, Problems: e.Warnings(), Inputs: orNone(e.Inputs()), Unmemoised: orNone(e.Unmemoised())}

	r.Problems = append(r.Problems, unsaid(unused(e.compiler), r.Problems)...)

	addLibrary(everything)
	loose := compilerFor(f.data)
	if loose.Compile(everything); loose.Failed() { // the tests do
		r.Problems = append(r.Problems, flatten(problems(loose.Errors))...)
	} else {
		r.Problems = append(r.Problems, check(loose, f.data)...)
	}
	strict := compilerFor(f.data).WithStrict(true).WithSchemas(schemas())
	strict.Compile(everything)
	if strict.TypeEnv != nil {
		r.Problems = append(r.Problems, checkElements(f.modules, strict.TypeEnv)...)
	}
	if strict.Failed() {
		r.Problems = append(r.Problems, unsaid(flatten(problems(strict.Errors)), r.Problems)...)
	}
	r.Problems = orNone(sorted(r.Problems))
	return r, nil
}

// unused are rules that no decision evaluates.
func unused(c *ast.Compiler) (out []Problem) {
	used := reachable(c)
	for _, m := range c.Modules {
		if !isContract(m) {
			continue
		}
		for _, r := range m.Rules {
			if name := ruleName(r); contract[name] == nil && !used[r] {
				p := problemAt(r.Location, "%q is used by no rule that wonted reads", name)
				p.Note = true
				out = append(out, p)
			}
		}
	}
	return out
}

// refused is all that is known of what does not compile.
func refused(files []string, err error) *Review {
	return &Review{Files: orNone(files), Problems: flatten(err), Inputs: []string{}, Unmemoised: []Problem{}}
}

// orNone is an array in JSON, too, where there is nothing in it.
func orNone[T any](all []T) []T { return append([]T{}, all...) }

// everything is the policy with its tests.
func (f *files) everything() map[string]*ast.Module {
	all := maps.Clone(f.modules)
	maps.Copy(all, f.tests)
	return all
}

// schemas are those of input, for the compiler.
func schemas() *ast.SchemaSet {
	var doc any
	if err := json.Unmarshal(inputJSONSchema, &doc); err != nil {
		panic(err) // a test reads it
	}
	s := ast.NewSchemaSet()
	s.Put(ast.SchemaRootRef, doc)
	return s
}

// unsaid leaves out what is said of the same line in our own words.
func unsaid(more, said []Problem) []Problem {
	return slices.DeleteFunc(more, func(m Problem) bool {
		return slices.ContainsFunc(said, func(s Problem) bool { return s.File == m.File && s.Row == m.Row })
	})
}
