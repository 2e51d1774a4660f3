package main

import (
	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/policy/rego"
)

// newPolicy holds what an author does with a policy before it is in force.
func newPolicy(std stdio) *cobra.Command {
	return group("policy", "Write, check, test and try policies",
		newPolicyInit(std),
		newPolicyCheck(std),
		newPolicyTest(std),
		newPolicyEval(std),
		newPolicyDefault(std),
	)
}

// policyDir is the one argument of these commands.
func policyDir(cmd *cobra.Command, args []string) error {
	if len(args) <= 1 {
		return nil
	}
	return misuse("usage: "+cmd.UseLine(), "%s takes one directory, got %d", cmd.CommandPath(), len(args))
}

// dirOf is the directory that was named, else this one.
func dirOf(args []string) string {
	if len(args) == 0 {
		return "."
	}
	return args[0]
}

// newPolicyDefault prints what is in force where no policy is named.
func newPolicyDefault(std stdio) *cobra.Command {
	return &cobra.Command{
		Use: "default", Short: "Print the policy that is in force where none is named",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := std.out.Write(rego.DefaultSource())
			return err
		},
	}
}
