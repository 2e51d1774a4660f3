package main

import (
	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/scoring/recorded"
)

// newReplay is `wonted replay`: recorded traffic through the same code as live
// traffic, in event time, with nothing in anybody's request path.
func newReplay(std stdio) *cobra.Command {
	var format string
	var failOn []string
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay FILE...",
		Short: "Judge recorded traffic: what was unusual, and what would have been done",
		Long: `Judge recorded traffic: what was unusual, and what would have been done.

FILE is wonted's own JSONL, an Envoy JSON access log, an access log of Apache,
nginx and others in the common or combined format, or a HAR as browsers export
it; compressed with gzip or zstd, or not; - is standard input. What it is is
found out by looking, for each file. Several files are read as one, in the order
of their times. Profiles start empty: the first days teach, the later ones are
judged.

Who is who is said by the identity rules. A log without headers names nobody but
by address, or by the user who has signed in to the server. Lines that cannot be
read are counted and skipped, a file that breaks off counts as far as it goes.
Exchanges may be out of order by up to a minute (and 16,384 exchanges); what
comes later is judged at the later time, and counted.

With --follow one file is read as it grows, from its beginning, and gone on with
at its new beginning when it is rotated. What is not plainly allowed is printed
as it comes, and the summary when Ctrl-C ends it; the exit status is then 0 (or 3, see
--fail-on).

--report writes the same as one page of HTML with charts, which needs nothing
else and may be mailed: it names identities as --output does, and routes.

With --output json one object is printed for each exchange that is not plainly
allowed, and a summary at the end.

With --policy A --policy B both judge the same traffic, scored once, and what is
told is where they differ in what a client would meet with: grouped by the rules
of both, with the routes, cohorts and callers it is about and some exchanges of
each. --output json prints each exchange on which they differ. "" is the default
policy. Profiles learn as in shadow mode, whatever either policy decides; they
know the routes that either names, and where a rule of either reads bodies every
body is counted, so that the other's numbers are not quite those that it has
alone. --report and --fail-on are about B.

--fail-on 'METRIC OP NUMBER' makes a build fail: 'denied > 0.1%' of exchanges,
'challenged >= 20' exchanges, 'denied > 3 callers'. METRIC is denied, throttled,
challenged or anomalous, or differ where policies are compared; OP is >, >= or <.
Several may be given. The exit status is 0 where none of them holds, 3 where one
does, 1 where the replay itself failed and 2 where the command line is wrong.`,
		Example: `  wonted replay /var/log/apache2/access.log*
  wonted replay --policy new/ --report would.html traffic.jsonl
  wonted replay --policy old/ --policy new/ --fail-on 'differ > 10 callers' traffic.jsonl
  wonted replay --policy new/ --fail-on 'denied > 0.1%' traffic.jsonl
  wonted replay --follow --output json access.log`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misuse("name a recording, an access log or a HAR, or - for standard input", "%s needs a FILE", cmd.CommandPath())
			}
			if o.follow && (len(args) > 1 || args[0] == "-") {
				return misuse("standard input is read as it comes, without --follow", "--follow reads one file")
			}
			return nil
		},
	}
	set := withSettings(cmd)
	cmd.Flags().StringArrayVar(&o.policies, "policy", nil, flagHelp["policy.path"]+"; given twice, two that are compared")
	cmd.Flags().StringVar(&format, "format", "auto", "how FILE is written: "+recorded.FormatNames())
	cmd.Flags().BoolVar(&o.follow, "follow", false, "go on as the file grows, until Ctrl-C")
	cmd.Flags().StringVar(&o.report, "report", "", "file for one page of HTML: who would have been stopped, why, and at what collateral")
	cmd.Flags().StringArrayVar(&failOn, "fail-on", nil, "exit status 3 where this holds, as 'denied > 0.1%'; may be repeated")
	outputFlag(cmd, &o.output)
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		o.names = args
		if o.format, err = recorded.ParseFormat(format); err != nil {
			return misuse("--format takes "+recorded.FormatNames(), "--format %q is not known", format)
		}
		if o.failOn, err = parseConditions(failOn, len(o.policies) == 2); err != nil {
			return err
		}
		if len(o.policies) > 2 {
			return misuse("name two: the one in force and the new one", "--policy compares two policies, got %d", len(o.policies))
		}
		show, err := newShow(std.out, o.output, o.follow)
		if err != nil {
			return err
		}
		cfg, err := set.load()
		if err != nil {
			return err
		}
		return replay(cmd.Context(), cfg, o, std, show)
	}
	return cmd
}

// replayOptions are what the command line says beside the configuration.
type replayOptions struct {
	names  []string
	format recorded.Format
	output string
	follow bool
	report string // file for the page; "": none
	failOn []condition

	policies []string // directories; none: the configured one
}
