package rego

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/loader"
)

//go:embed default.rego
var defaultPolicy []byte

// DefaultSource is the text of the default policy, to start one's own from.
func DefaultSource() []byte { return bytes.Clone(defaultPolicy) }

// Default is the policy of a wonted that was given none.
func Default() (*Engine, error) {
	e, err := FromSource("default.rego", defaultPolicy)
	if err != nil {
		return nil, fmt.Errorf("default policy: %w", err)
	}
	return e, nil
}

// FromSource compiles one file's text.
func FromSource(name string, text []byte) (*Engine, error) {
	m, err := ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		return nil, problems(err)
	}
	e, err := newEngine(map[string]*ast.Module{name: m}, map[string]any{})
	if err != nil {
		return nil, err
	}
	e.revision = revision(map[string][]byte{name: text})
	return e, nil
}

// Load compiles the policy of a directory: every .rego but *_test.rego, over
// every .json and .yaml; a data file in a directory below is found under that
// directory's name, as OPA has it. Names that begin with a dot are passed over
// (a Kubernetes ConfigMap keeps its real files in such a directory), and so are
// JSON Schemas (schema.json) and what tests are made of (wonted/test). In place of
// a directory it takes a bundle's file, NAME.tar.gz; its signature is not asked for.
func Load(dir string) (*Engine, error) {
	e, err := load(dir)
	if err != nil {
		return nil, fmt.Errorf("load policy %s: %w", dir, err)
	}
	return e, nil
}

func load(dir string) (*Engine, error) {
	f, err := read(dir, skip)
	if err != nil {
		return nil, err
	}
	if len(f.modules) == 0 {
		return nil, noPolicy()
	}
	return f.engine()
}

// engine compiles them.
func (f *files) engine() (*Engine, error) {
	e, err := newEngine(f.modules, f.data)
	if err != nil {
		return nil, err
	}
	e.revision, e.bundle = f.revision, f.bundle
	return e, nil
}

func noPolicy() error {
	return fmt.Errorf("no .rego file in it: a policy is a file that begins with `package %s`", Package)
}

// files are a policy's directory as read.
type files struct {
	modules  map[string]*ast.Module // by path
	tests    map[string]*ast.Module // what only tests use
	data     map[string]any
	fixtures any               // data.wonted.test, which is no part of data; nil: none
	content  map[string][]byte // what the revision is of, by path
	revision string            // of modules and data
	bundle   string            // the revision that a bundle's manifest names
}

// read reads a directory, but for what leaveOut says; or a bundle's file.
func read(dir string, leaveOut loader.Filter) (*files, error) {
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("no such directory: wonted policy init lays one out; or leave policy.path empty for the default policy")
	case err != nil:
		return nil, err
	case !info.IsDir() && IsBundle(dir):
		return readBundle(dir)
	case !info.IsDir():
		return nil, errors.New("this is a file: name the directory that holds it")
	}
	loaded, err := loader.NewFileLoader().WithRegoVersion(ast.RegoV1).Filtered([]string{dir}, leaveOut)
	if err != nil {
		return nil, problems(err)
	}
	f := newFiles()
	for _, m := range loaded.Modules {
		f.add(m.Name, m.Parsed, m.Raw)
	}
	f.data = loaded.Documents
	return f, f.settle()
}

func newFiles() *files {
	return &files{modules: map[string]*ast.Module{}, tests: map[string]*ast.Module{}, content: map[string][]byte{}}
}

// add puts a module where it belongs.
func (f *files) add(name string, m *ast.Module, text []byte) {
	if forTests(name) {
		f.tests[name] = m
		return
	}
	f.modules[name], f.content[name] = m, text
}

// settle puts fixtures aside and gives the files their revision.
func (f *files) settle() (err error) {
	if own, ok := f.data["wonted"].(map[string]any); ok {
		f.fixtures = own["test"]
		if delete(own, "test"); len(own) == 0 {
			delete(f.data, "wonted")
		}
	}
	if f.content["\x00data"], err = json.Marshal(f.data); err != nil {
		return fmt.Errorf("data files: %w", err)
	}
	if f.bundle != "" {
		f.content["\x00revision"] = []byte(f.bundle) // what is called otherwise is another
	}
	f.revision, f.content = revision(f.content), nil
	return nil
}

// forTests says which files are tests or what they are made of.
func forTests(path string) bool {
	return strings.HasSuffix(path, "_test.rego") || strings.HasSuffix(filepath.ToSlash(filepath.Dir(path)), testDir)
}

const testDir = "wonted/test"

// skip says which files are none of the policy: tests and what they are made
// of, and those that skipForeign passes over.
func skip(path string, info fs.FileInfo, depth int) bool {
	return skipForeign(path, info, depth) || forTests(path)
}

// skipForeign says which files are none of the policy, nor of its tests.
func skipForeign(path string, info fs.FileInfo, depth int) bool {
	name := filepath.Base(path)
	switch {
	case depth == 0:
		return false
	case strings.HasPrefix(name, "."):
		return true
	case info.IsDir():
		return false
	case name == "schema.json": // a JSON Schema, for editors
		return true
	}
	switch filepath.Ext(name) {
	case ".rego", ".json", ".yaml", ".yml":
		return false
	}
	return true
}

// revision is the first 12 hex digits of a hash over names and content.
func revision(content map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(content)) {
		fmt.Fprintf(h, "%s\x00%d\x00%s", filepath.Base(name), len(content[name]), content[name])
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// conflicts tells the compiler where data already stands, so that a rule of the
// same path is refused instead of hiding it.
func conflicts(data map[string]any) func([]string) (bool, error) {
	return func(path []string) (bool, error) {
		var at any = data
		for _, name := range path {
			o, ok := at.(map[string]any)
			if !ok {
				return at != nil, nil
			}
			if at, ok = o[name]; !ok {
				return false, nil
			}
		}
		return true, nil
	}
}
