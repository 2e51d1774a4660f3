package rego

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// TestRun is what came of a policy's tests.
type TestRun struct {
	Tests    []TestResult `json:"tests"`
	Passed   int          `json:"passed"`
	Failed   int          `json:"failed"` // or broke off
	Skipped  int          `json:"skipped"`
	Coverage *Coverage    `json:"coverage,omitempty"`
}

// TestResult is what came of one.
type TestResult struct {
	Name    string   `json:"name"` // with its package: "wonted.policy_test.test_take_over"
	File    string   `json:"file"`
	Row     int      `json:"row"`
	Outcome string   `json:"outcome"`          // "pass", "fail", "error", "skip"
	Failed  *Problem `json:"failed,omitempty"` // the condition that did not hold
	Error   string   `json:"error,omitempty"`
	Output  string   `json:"output,omitempty"` // of print(…)
	Seconds float64  `json:"seconds"`
}

// Test runs the tests of a directory whose names match the regular expression,
// with OPA's runner. What wonted brings for tests is there, if the directory has
// no copy. The error is for what does not compile.
func Test(ctx context.Context, dir, names string, coverage bool) (*TestRun, error) {
	f, err := read(dir, skipForeign)
	if err != nil {
		return nil, fmt.Errorf("test policy %s: %w", dir, err)
	}
	documents, err := f.documents()
	if err != nil {
		return nil, fmt.Errorf("test policy %s: %w", dir, err)
	}
	modules := f.everything()
	addLibrary(modules)
	store := inmem.NewFromObject(documents)
	txn, err := store.NewTransaction(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Abort(ctx, txn)
	runner := tester.NewRunner().
		SetCompiler(compilerFor(f.data).WithEnablePrintStatements(true)).
		SetStore(store).
		SetModules(modules).
		EnableTracing(true).
		CapturePrintOutput(true).
		RaiseBuiltinErrors(true).
		Filter(names)
	covered := cover.New()
	if coverage {
		runner.SetCoverageQueryTracer(covered)
	}
	results, err := runner.RunTests(ctx, txn)
	if err != nil {
		return nil, fmt.Errorf("test policy %s: %w", dir, problems(err))
	}
	run := &TestRun{Tests: []TestResult{}}
	for r := range results {
		run.add(r)
	}
	slices.SortFunc(run.Tests, func(a, b TestResult) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Name, b.Name))
	})
	if coverage {
		run.Coverage = coverageOf(covered, f.modules)
	}
	return run, ctx.Err()
}

func (run *TestRun) add(r *tester.Result) {
	t := TestResult{
		Name: strings.TrimPrefix(r.Package, "data.") + "." + r.Name,
		File: r.Location.File, Row: r.Location.Row,
		Output: string(r.Output), Seconds: r.Duration.Seconds(),
	}
	switch {
	case r.Skip:
		t.Outcome = "skip"
		run.Skipped++
	case r.Error != nil:
		t.Outcome, t.Error = "error", r.Error.Error()
		run.Failed++
	case r.Fail:
		t.Outcome, t.Failed = "fail", failedAt(r)
		run.Failed++
	default:
		t.Outcome = "pass"
		run.Passed++
	}
	run.Tests = append(run.Tests, t)
}

// failedAt is the last condition of the test itself that did not hold.
func failedAt(r *tester.Result) *Problem {
	for _, e := range slices.Backward(r.Trace) {
		expr, ok := e.Node.(*ast.Expr)
		if e.Op != topdown.FailOp || !ok || expr.Location == nil || expr.Location.File != r.Location.File {
			continue
		}
		text, _, _ := strings.Cut(string(expr.Location.Text), "\n")
		p := problemAt(expr.Location, "%s", text)
		return &p
	}
	return nil
}

// Coverage says which lines of a policy its tests evaluated.
type Coverage struct {
	Percent float64        `json:"percent"`
	Files   []FileCoverage `json:"files"`
}

// FileCoverage is that of one file.
type FileCoverage struct {
	File    string   `json:"file"`
	Percent float64  `json:"percent"`
	Missing []string `json:"missing"` // lines: "12" or "12-15"
}

// coverageOf leaves out tests and the library: these are not the author's to
// test.
func coverageOf(c *cover.Cover, modules map[string]*ast.Module) *Coverage {
	own := maps.Clone(modules)
	maps.DeleteFunc(own, func(_ string, m *ast.Module) bool { return m.Package.Path.String() == libraryPackage })
	report := c.Report(own)
	out := &Coverage{Files: []FileCoverage{}}
	lines, all := 0, 0
	for _, name := range slices.Sorted(maps.Keys(report.Files)) {
		if own[name] == nil {
			continue
		}
		f := report.Files[name]
		lines += f.CoveredLines
		all += f.CoveredLines + f.NotCoveredLines
		out.Files = append(out.Files, FileCoverage{name, f.Coverage, lineRanges(f.NotCovered)})
	}
	out.Percent = 100 * float64(lines) / float64(max(all, 1))
	return out
}

// lineRanges are lines in words: "12", "14-16".
func lineRanges(ranges []cover.Range) []string {
	out := []string{}
	for i := 0; i < len(ranges); {
		from, to := ranges[i].Start.Row, ranges[i].End.Row
		for i++; i < len(ranges) && ranges[i].Start.Row <= to+1; i++ {
			to = max(to, ranges[i].End.Row)
		}
		text := fmt.Sprint(from)
		if to > from {
			text += fmt.Sprint("-", to)
		}
		out = append(out, text)
	}
	return out
}
