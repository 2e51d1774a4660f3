package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/policy/rego"
)

// testOptions are the flags of `wonted policy test`.
type testOptions struct {
	output   string
	names    string
	coverage bool
	least    float64 // percent
	watch    bool
}

// newPolicyTest runs a policy's tests.
func newPolicyTest(std stdio) *cobra.Command {
	var o testOptions
	cmd := &cobra.Command{
		Use:   "test [DIR]",
		Short: "Run a policy's tests",
		Long: `Run a policy's tests, as opa test does: every rule whose name begins with test_.
Tests may use data.wonted.test.input, an ordinary input; the function
data.wonted.test.anomaly("rate"), the same and anomalous because of that
detector; and data.wonted.combine.decision, what wonted makes of all rules
together. DIR is this directory if none is named.

With --watch they run again whenever a file changes, until Ctrl-C ends it; the
exit status is then 0.`,
		Example: `  wonted policy test --coverage policy/
  wonted policy test --watch --run take_over policy/`,
		Args: func(cmd *cobra.Command, args []string) error {
			if _, err := regexp.Compile(o.names); err != nil {
				return misuse("it takes a regular expression, such as take_over", "--run %q: %v", o.names, err)
			}
			if !(o.least >= 0 && o.least <= 100) {
				return misuse("it takes percent, 0 to 100", "--threshold %v is not possible", o.least)
			}
			return policyDir(cmd, args)
		},
	}
	outputFlag(cmd, &o.output)
	f := cmd.Flags()
	f.StringVar(&o.names, "run", "", "run only the tests whose names match this regular expression")
	f.BoolVar(&o.coverage, "coverage", false, "tell which lines no test evaluates")
	f.Float64Var(&o.least, "threshold", 0, "fail below this coverage in percent; implies --coverage")
	f.BoolVar(&o.watch, "watch", false, "run again whenever a file changes, until Ctrl-C")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.coverage = o.coverage || o.least > 0
		if !o.watch {
			return runTests(cmd.Context(), dirOf(args), o, std.out)
		}
		rego.WatchTests(cmd.Context(), dirOf(args), func() {
			if err := runTests(cmd.Context(), dirOf(args), o, std.out); err != nil && !errors.Is(err, context.Canceled) {
				explain(std.err, err)
			}
		})
		return nil
	}
	return cmd
}

func runTests(ctx context.Context, dir string, o testOptions, w io.Writer) error {
	run, err := rego.Test(ctx, dir, o.names, o.coverage)
	if err != nil {
		return err
	}
	if err := print(w, o.output, run, func(w io.Writer) error { return showTests(w, run) }); err != nil {
		return err
	}
	switch {
	case run.Failed > 0:
		return fmt.Errorf("%s of %d failed", plural(run.Failed, "test"), len(run.Tests))
	case len(run.Tests) == 0 && o.names != "":
		return advise(fmt.Errorf("no test matches --run %q", o.names), "a name begins with its package: wonted.policy_test.test_take_over")
	case len(run.Tests) == 0:
		return advise(fmt.Errorf("no tests in %s", dir), "a test is a rule whose name begins with test_, in a file *_test.rego; wonted policy init shows some")
	case o.coverage && run.Coverage.Percent < o.least:
		return fmt.Errorf("coverage is %.1f %%, below %v %%", run.Coverage.Percent, o.least)
	}
	return nil
}

func showTests(w io.Writer, run *rego.TestRun) error {
	for _, t := range run.Tests {
		if t.Outcome == "pass" || t.Outcome == "skip" {
			continue
		}
		fmt.Fprintf(w, "%s %s:%d: %s\n", strings.ToUpper(t.Outcome), t.File, t.Row, t.Name)
		if t.Failed != nil {
			fmt.Fprintf(w, "\tline %d does not hold: %s\n", t.Failed.Row, t.Failed.Message)
		}
		for line := range strings.Lines(t.Error) {
			fmt.Fprintf(w, "\t%s\n", strings.TrimRight(line, "\n"))
		}
		for line := range strings.Lines(t.Output) {
			fmt.Fprintf(w, "\tprinted %s\n", strings.TrimRight(line, "\n"))
		}
	}
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", run.Passed, run.Failed, run.Skipped)
	if run.Coverage == nil {
		return nil
	}
	for _, f := range run.Coverage.Files {
		fmt.Fprintf(w, "%5.1f %%  %s", f.Percent, f.File)
		if len(f.Missing) > 0 {
			fmt.Fprintf(w, ", not lines %s", strings.Join(f.Missing, ", "))
		}
		fmt.Fprintln(w)
	}
	_, err := fmt.Fprintf(w, "%5.1f %%  of all lines\n", run.Coverage.Percent)
	return err
}
