package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/policy/rego"
)

// newPolicyInit lays out a policy to start one's own from.
func newPolicyInit(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:   "init DIR",
		Short: "Lay out a policy to start one's own from",
		Long: `Lay out a policy to start one's own from: a rule for each threat, data, tests,
and a README that teaches by example; schema/ is what editors and OPA know
inputs by, wonted/ what tests are made of.

In a directory that holds a policy already, files that are there are kept, but
for those in schema/ and wonted/, which are this version's own and are renewed.`,
		Example: `  wonted policy init policy/ && wonted policy test policy/`,
		Args:    exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			written, kept, err := rego.Init(args[0])
			for _, name := range written {
				fmt.Fprintf(std.out, "wrote %s\n", name)
			}
			for _, name := range kept {
				fmt.Fprintf(std.out, "kept  %s\n", name)
			}
			if err != nil {
				return advise(err, "name a directory that this user can make, or write to")
			}
			_, err = fmt.Fprintf(std.out, "next: wonted policy test %[1]s, then wonted serve --policy %[1]s\n", args[0])
			return err
		},
	}
}
