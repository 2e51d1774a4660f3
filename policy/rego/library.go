package rego

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
)

// What wonted brings for policies and their tests.

//go:embed starter/wonted/combine.rego
var combineLibrary []byte

//go:embed starter/wonted/test/anomaly.rego
var testLibrary []byte

//go:embed starter/wonted/test/data.json
var testData []byte

// libraryPackage is that of combine.rego.
const libraryPackage = "data.wonted.combine"

// CombineSource is the text of the library wonted.combine for `opa test`.
func CombineSource() []byte { return bytes.Clone(combineLibrary) }

// addLibrary adds what tests may use, where there is no copy of it.
func addLibrary(modules map[string]*ast.Module) {
	for name, text := range map[string][]byte{"wonted/combine.rego": combineLibrary, "wonted/test/anomaly.rego": testLibrary} {
		library, err := ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			panic(err) // it is ours
		}
		if !hasPackage(modules, library.Package) {
			modules[name] = library
		}
	}
}

func hasPackage(modules map[string]*ast.Module, p *ast.Package) bool {
	for _, m := range modules {
		if m.Package.Equal(p) {
			return true
		}
	}
	return false
}

// Fixture is data.wonted.test.input as tests in dir have it.
func Fixture(dir string) (map[string]any, error) {
	f, err := read(dir, skipForeign)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", dir, err)
	}
	documents, err := f.documents()
	if err != nil {
		return nil, err
	}
	v, _ := valueAt(documents, "wonted.test.input")
	input, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("policy %s: data.wonted.test.input is no object", dir)
	}
	return input, nil
}

// documents are the data of a policy and its tests.
func (f *files) documents() (map[string]any, error) {
	all := map[string]any{}
	for name, v := range f.data {
		all[name] = v
	}
	own := map[string]any{}
	if old, ok := f.data["wonted"].(map[string]any); ok {
		for name, v := range old {
			own[name] = v
		}
	}
	if own["test"] = f.fixtures; f.fixtures == nil {
		var published any
		if err := json.Unmarshal(testData, &published); err != nil {
			return nil, err
		}
		own["test"] = published
	}
	all["wonted"] = own
	return all, nil
}
