package rego

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/loader"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/wonted-project/wonted/policy"
)

func started(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "new", "policy")
	if written, kept, err := Init(dir); err != nil || len(written) < 8 || len(kept) > 0 {
		t.Fatalf("written %v, kept %v, %v", written, kept, err)
	}
	return dir
}

func TestStarterIsWithoutMistake(t *testing.T) {
	dir := started(t)
	r, err := Check(dir)
	if err != nil || len(r.Problems) > 0 || len(r.Unmemoised) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	run, err := Test(t.Context(), dir, "", true)
	if err != nil || run.Failed > 0 || run.Skipped > 0 || run.Passed < 15 {
		t.Fatalf("%+v, %v", run, err)
	}
	if run.Coverage.Percent < 100 || len(run.Coverage.Files) != 1 {
		t.Errorf("coverage %+v", run.Coverage)
	}
}

func TestStarterAnswersEveryDetector(t *testing.T) {
	e, err := Load(started(t))
	if err != nil {
		t.Fatal(err)
	}
	everyDetector(t, e)
	if d := decide(t, e, at(sample(), policy.PhaseRequest)); d.Action != policy.Allow || d.Budget.Usual != 1 {
		t.Errorf("ordinary: %+v", d)
	}
}

// opa check --strict --schema and opa test do these.
func TestStarterIsForOPAToo(t *testing.T) {
	dir := started(t)
	ctx := context.Background()
	modules, store, err := tester.Load([]string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := loader.Schemas(filepath.Join(dir, "schema", "input", "schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	c := ast.NewCompiler().WithStrict(true).WithSchemas(schema)
	if c.Compile(modules); c.Failed() {
		t.Fatal(c.Errors)
	}
	txn, err := store.NewTransaction(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Abort(ctx, txn)
	results, err := tester.NewRunner().SetStore(store).SetModules(modules).RunTests(ctx, txn)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r := range results {
		if n++; !r.Pass() {
			t.Error(r)
		}
	}
	if n < 15 {
		t.Errorf("only %d tests", n)
	}
}

// What the README teaches works as it stands there.
func TestStarterReadme(t *testing.T) {
	dir := started(t)
	text, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	add := func(name, rule string) {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString("\n" + rule); err != nil {
			t.Fatal(err)
		}
	}
	blocks := regexp.MustCompile("(?s)```rego\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	for _, b := range blocks {
		if strings.HasPrefix(b[1], "test_") {
			add("policy_test.rego", b[1])
		} else {
			add("policy.rego", b[1])
		}
	}
	run, err := Test(t.Context(), dir, "no_writes_at_night|stepped_up_for_transfers", false)
	if err != nil || run.Passed != 2 || len(blocks) != 4 {
		t.Errorf("%d blocks, %+v, %v", len(blocks), run, err)
	}
	for name := range contract {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("%s is not taught", name)
		}
	}
}

func TestFixtureIsAsPublished(t *testing.T) {
	for _, detector := range detectorNames() {
		for _, query := range []string{"data.wonted.test.input", `data.wonted.test.anomaly("` + detector + `")`} {
			if doc := fixture(t, query); !asPublished(t, doc, publishedInput) {
				t.Errorf("%s is not as published", query)
			}
		}
	}
}

// Init touches nothing of the author's, and mends what is wonted's.
func TestInitAgain(t *testing.T) {
	dir := started(t)
	own := filepath.Join(dir, "policy.rego")
	ours := filepath.Join(dir, "wonted", "combine.rego")
	for _, name := range []string{own, ours} {
		if err := os.WriteFile(name, []byte(denyAll), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "data.json")); err != nil {
		t.Fatal(err)
	}
	written, kept, err := Init(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(kept, " "); got != "README.md policy.rego policy_test.rego" {
		t.Errorf("kept %s, written %v", got, written)
	}
	if text, _ := os.ReadFile(own); string(text) != denyAll {
		t.Error("the author's policy is gone")
	}
	if text, _ := os.ReadFile(ours); string(text) != string(CombineSource()) {
		t.Error("the library is an old one")
	}
	if _, err := os.Stat(filepath.Join(dir, "data.json")); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Init(filepath.Join(dir, "file")); err == nil {
		t.Error("a file is a directory")
	}
}
