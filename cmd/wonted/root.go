package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// stdio is the outside that a command may talk to.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// run carries out one command line (without the program's name). It returns
// what went wrong, never prints it, and ends early when ctx is done.
func run(ctx context.Context, args []string, std stdio) error {
	root := newRoot(std)
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// newRoot holds every subcommand; each comes from newX(std) in a file of its
// name.
func newRoot(std stdio) *cobra.Command {
	root := group("wonted", "Knows what is usual for every caller of an API, and stops what is not",
		newServe(std),
		newDemo(std),
		newReplay(std),
		newWhy(std),
		newBench(std),
		newPolicy(std),
		newRule(std),
		newException(std),
		newProfile(std),
		newQuarantine(std),
		newEnvoy(std),
		newHealth(std),
		newStatus(std),
		newVersion(std),
	)
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	// Errors are printed once, by explain.
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(wrongFlag)
	return root
}

// group is a command that only holds others: alone it prints its help, with a
// name that it does not know it suggests the nearest.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use: use, Short: short,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			var names []string
			for _, c := range cmd.Commands() {
				if c.IsAvailableCommand() {
					names = append(names, c.Name())
				}
			}
			return misuse(didYouMean(args[0], names, cmd.CommandPath()+" "),
				"%s has no command %q", cmd.CommandPath(), args[0])
		},
	}
	g.AddCommand(commands...)
	return g
}

// noArgs refuses arguments of a command that takes none.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return misuse(see(cmd), "%s takes no arguments, got %q", cmd.CommandPath(), args[0])
}

// exactly asks for n arguments, named as the usage line names them.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return misuse("usage: "+cmd.UseLine(), "%s takes %s, got %d", cmd.CommandPath(), plural(n, "argument"), len(args))
	}
}

func see(cmd *cobra.Command) string { return "see " + cmd.CommandPath() + " --help" }

// wrongFlag turns pflag's error into ours, with the nearest flag.
func wrongFlag(cmd *cobra.Command, err error) error {
	hint := see(cmd)
	if name, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		hint = didYouMean(name, names, "--")
	}
	return misuse(hint, "%s: %w", cmd.CommandPath(), err)
}

// didYouMean names the nearest of names, or all of them when none is near.
func didYouMean(got string, names []string, prefix string) string {
	best, distance := "", 3
	for _, n := range names {
		if d := levenshtein.ComputeDistance(got, n); d < distance {
			best, distance = n, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %s%s?", prefix, best)
	}
	slices.Sort(names)
	return "there are " + strings.Join(names, ", ")
}
