package main

import (
	"github.com/spf13/cobra"
)

// newPolicy holds what an author does with a policy before it is in force.
func newPolicy(std stdio) *cobra.Command {
	return group("policy", "Write, check, test and try policies",
		newPolicyInit(std),
		newPolicyCheck(std),
		newPolicyTest(std),
		newPolicyEval(std),
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
