package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/bench"
)

// reportFormats are the ways to write a report.
var reportFormats = map[string]func(*bench.Report, io.Writer) error{
	"text": (*bench.Report).Text, "json": (*bench.Report).JSON, "html": (*bench.Report).HTML,
}

// newBenchReport shows a report that was kept, in another form or by the rules
// of this program.
func newBenchReport(std stdio) *cobra.Command {
	var output, to string
	var strict bool
	cmd := &cobra.Command{
		Use: "report FILE", Short: "Show a report that bench load --output json has left",
		Long: `Show a report that bench load --output json has left: as text, as one page of
HTML, or as JSON with the figures derived anew. Only what was measured is taken
from the file.

The exit status says whether there was a report to show. With --strict it is not
zero either if the run does not count, or, of --plan full, a target was missed
or not measured.`,
		Example: `  wonted bench report .reports/bench.json
  wonted bench report .reports/bench.json --output html --to report.html`,
		Args: exactly(1),
	}
	flags := cmd.Flags()
	flags.StringVar(&output, "output", "text", "text, json or html")
	flags.StringVar(&to, "to", "", "file for the report (standard output)")
	flags.BoolVar(&strict, "strict", false, "fail where the run does not count, or has missed a target")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		write, ok := reportFormats[output]
		if !ok {
			return misuse("--output takes text, json or html", "--output %q is not known", output)
		}
		file, err := os.Open(args[0])
		if err != nil {
			return advise(fmt.Errorf("bench report: %w", err), "wonted bench load --output json --to FILE makes one")
		}
		defer file.Close()
		report, err := bench.ReadReport(file)
		if err != nil {
			return advise(fmt.Errorf("bench report: %s: %w", args[0], err), "wonted bench load --output json --to FILE makes one")
		}
		var text bytes.Buffer
		if err := write(report, &text); err != nil {
			return err
		}
		if err := deliver(text.Bytes(), std.out, to); err != nil || !strict {
			return err
		}
		return passed(report)
	}
	return cmd
}

// passed is why a report does not do; nil: it does.
func passed(r *bench.Report) error {
	switch {
	case r.Partial || len(r.Failures) > 0:
		return fmt.Errorf("bench: this run does not count")
	case r.Plan == bench.PlanFull && r.Missed() > 0:
		return fmt.Errorf("bench: %d targets missed or not measured", r.Missed())
	}
	return nil
}
