package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/policy/rego"
)

// newPolicyCheck tells what is wrong with a policy that nobody has to be hit by
// to find out.
func newPolicyCheck(std stdio) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "check [DIR]",
		Short: "Find what is wrong with a policy, and what looks like a mistake",
		Long: `Find what is wrong with a policy, and what looks like a mistake: what does not
compile, in OPA's strict mode; inputs, data and rule names that are not there;
values of the wrong type; conditions that are never true; builtins that reach
outside; values that double from line to line. Its tests (*_test.rego) are
checked, too. DIR is this directory if none is named; it may be an OPA bundle's
file (NAME.tar.gz), whoever signed it.

Then tells which inputs the policy reads, and whether its decisions can be
remembered: where they can not, every request is evaluated, which costs some
20 µs instead of 0.3, and the lines that are the reason are named.

The exit status is 1 where there is a mistake. serve refuses a policy that does
not compile and warns of the rest.`,
		Example: `  wonted policy check policy/`,
		Args:    policyDir,
	}
	outputFlag(cmd, &output)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		dir := dirOf(args)
		r, err := rego.Check(dir)
		if err != nil {
			return err
		}
		if err := print(std.out, output, r, func(w io.Writer) error { return showReview(w, r) }); err != nil {
			return err
		}
		if n := r.Mistakes(); n > 0 {
			return fmt.Errorf("%s in the policy %s", plural(n, "mistake"), dir)
		}
		return nil
	}
	return cmd
}

func showReview(w io.Writer, r *rego.Review) error {
	showProblems(w, r.Problems)
	if r.Revision == "" {
		return nil // it does not compile
	}
	fmt.Fprintf(w, "%s, revision %s\n", plural(len(r.Files), "file"), r.Revision)
	if len(r.Inputs) > 0 {
		fmt.Fprintf(w, "reads %s\n", strings.Join(r.Inputs, ", "))
	}
	if len(r.Unmemoised) == 0 {
		_, err := fmt.Fprintln(w, "decisions are remembered")
		return err
	}
	_, err := fmt.Fprintln(w, "decisions are not remembered, because of")
	showProblems(w, r.Unmemoised)
	return err
}

// showProblems writes them so that editors find the place.
func showProblems(w io.Writer, all []rego.Problem) {
	for _, p := range all {
		place := p.Place()
		if place != "" {
			place += ": "
		}
		if p.Note {
			place += "note: "
		}
		fmt.Fprintf(w, "%s%s\n", place, p.Message)
		if p.Hint != "" {
			fmt.Fprintf(w, "\t%s\n", p.Hint)
		}
	}
}
