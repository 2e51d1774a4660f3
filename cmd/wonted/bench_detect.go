package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wonted-project/wonted/bench/detect"
)

// detectFormats are the ways to write what bench detect found.
var detectFormats = map[string]func(*detect.Report, io.Writer) error{
	"text": (*detect.Report).Text, "json": (*detect.Report).JSON, "html": (*detect.Report).HTML,
}

func newBenchDetect(std stdio) *cobra.Command {
	cfg := detect.Config{}
	var full bool
	var emit, output, to string
	cmd := &cobra.Command{
		Use: "detect", Short: "Play attacks and ordinary days through the scorer, and report what is found and what it costs",
		Long: `Play attacks and ordinary days through the scorer, and report what is found and
what it costs.

A synthetic population (people, pollers, batch jobs, builds, partners) lives
through some days of event time, with a release, a marketing day, a month's end
and the like among them; nothing is in the request path, no Envoy is needed. In
the second half of the days attacks are played on it, each on hundreds of
victims, and undone. Reported are

    false alarms      observed/nominal by class, maturity and day; the alert
                      budget; harm to benign callers
    the null control  benign traffic played as an attack: what is found of it is
                      the harness's own error
    each scenario     recall at window false-alarm rates of 1e-3 and 1e-4,
                      requests until it is found, records that had left by then,
                      whether the first evidence names the right thing
    what takes days   how far it gets, and what an attacker who knows wonted
                      takes unseen
    baselines         the same, of what people use today, and where wonted is
                      not the better one

all with 95 % intervals. The same seed gives the same report.`,
		Example: `  wonted bench detect
  wonted bench detect --seed 2 --scenario dump_x30,takeover
  wonted bench detect --full --output json --to detect.json
  wonted bench detect --identities 200 --days 8 --emit stream.jsonl && wonted replay stream.jsonl`,
		Args: noArgs,
	}
	flags := cmd.Flags()
	flags.Uint64Var(&cfg.Seed, "seed", 1, "of everything that is drawn: the same seed gives the same report")
	flags.IntVar(&cfg.Identities, "identities", 1000, "how many callers there are")
	flags.IntVar(&cfg.Days, "days", 14, "of event time; the first half, five at the least, is training")
	flags.IntVar(&cfg.Lasting, "lasting", 0, "days after training for attacks that take days (what training leaves of --days)")
	flags.IntVar(&cfg.Runs, "runs", 200, "of each scenario, on different victims")
	flags.BoolVar(&full, "full", false, "3,000 identities, 24 days, 30 for attacks that take days, 400 runs: what claims are made of")
	flags.StringSliceVar(&cfg.Scenarios, "scenario", nil, "names, separated by commas (all)")
	flags.StringVar(&emit, "emit", "", "file for the labelled stream, as wonted JSONL: wonted replay reads it")
	flags.StringVar(&output, "output", "text", "text, json or html")
	flags.StringVar(&to, "to", "", "file for the report (standard output)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		write, ok := detectFormats[output]
		if !ok {
			return misuse("--output takes text, json or html", "--output %q is not known", output)
		}
		if full {
			for name, set := range map[string]func(){
				"identities": func() { cfg.Identities = 3000 }, "days": func() { cfg.Days = 24 }, "lasting": func() { cfg.Lasting = 30 }, "runs": func() { cfg.Runs = 400 },
			} {
				if !flags.Changed(name) {
					set()
				}
			}
		}
		if err := cfg.Validate(); err != nil {
			return misuse(see(cmd), "bench detect: %w", err)
		}
		if err := writable(to); err != nil {
			return advise(fmt.Errorf("bench detect: %w", err), "--to names a file that can be written, in a directory that exists")
		}
		return benchDetect(cmd.Context(), cfg, std, emit, to, write)
	}
	return cmd
}

// benchDetect runs it and writes what there is of a report.
func benchDetect(ctx context.Context, cfg detect.Config, std stdio, emit, to string, write func(*detect.Report, io.Writer) error) error {
	if emit != "" {
		file, err := os.Create(emit)
		if err != nil {
			return advise(fmt.Errorf("bench detect: %w", err), "--emit names a file that can be written, in a directory that exists")
		}
		defer file.Close()
		cfg.Emit = file
	}
	cfg.Progress = detectProgress(std.err)
	report, err := detect.Run(ctx, cfg)
	if cfg.Progress != nil {
		fmt.Fprint(std.err, "\r\x1b[K")
	}
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := write(report, &text); err != nil {
		return err
	}
	if err := deliver(text.Bytes(), std.out, to); err != nil {
		return err
	}
	if report.Partial {
		return fmt.Errorf("bench detect: interrupted: what is reported is all there is")
	}
	return nil
}

// detectProgress tells how far it is, on a terminal; nil elsewhere.
func detectProgress(out io.Writer) func(float64, string) {
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	var last time.Time
	return func(share float64, what string) {
		if now := time.Now(); now.Sub(last) > 200*time.Millisecond {
			last = now
			fmt.Fprintf(out, "\r\x1b[K%3.0f%%  %s", 100*share, what)
		}
	}
}
