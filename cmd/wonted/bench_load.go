package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/bench"
)

func newBenchLoad(std stdio) *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use: "load", Short: "Load Envoy with and without wonted, side by side, and report what it costs",
		Long: `Load Envoy with and without wonted, side by side, and report what it costs.

Every variant gets an Envoy of its own (one worker thread) and a processor of
its own, all in front of the same API and under the same load, one at a time:
each round visits every variant, so that what else the machine does hits all of
them. Figures are medians of the rounds; ratios are of rounds that ran together.

    bare              Envoy alone
    noop              an ext_proc server as one writes it first, deciding nothing
    noop-bodies       the same, with response bodies: what wonted-bodies is measured by
    wonted-log        nothing in the request path: the access log alone
    wonted-lean       one message a request, the rest from the access log
    wonted-adaptive   the same, and the response where it is worth looking at
    wonted-headers    request and response headers
    wonted-headers-x2 the same of two wonted, between which Envoy shares the callers
    wonted-bodies     every response body, its records counted

Each wonted-… also exists as wonted-…-enforce; --mode shadow,enforce takes both.
wonted knows its callers: five days of them are played through its scorer first.

--plan standard (the default) takes under ten minutes, --plan full half an hour
or more; flags change what they say. --concurrency, --identities, --rate,
--think, --protocol or --scenario replace the plan's cells by one for each
combination.

A closed loop (--concurrency) sends the next request when the answer is there,
or --think later on average, as a client would that has work to do.
An open loop (--rate) sends at a constant rate, and counts latency from when a
request was due: a stall is seen by all who would have asked meanwhile.

--procs is GOMAXPROCS of wonted, and of it alone: 1 is a sidecar's share. The
reference processor and peers stay as they come.

--peer opa=PATH runs an opa-envoy-plugin as ext_authz, with a rule that wonted
then has too. --peer extproc=CMD runs any ext_proc server; {listen} in CMD and
the environment variable WONTED_BENCH_LISTEN say where it shall listen
(unix:///path). --target URL loads an Envoy that runs already, and starts
nothing.

The exit status is not zero if a run does not count: requests without an answer,
variants that answered differently, or requests that wonted has not judged.
Ctrl-C ends what was started and prints what there is.`,
		Example: `  wonted bench load
  wonted bench load --variants bare,noop,wonted-headers --concurrency 1,16,64 --rounds 5
  wonted bench load --rate 2000 --duration 10s --output html --to report.html
  wonted bench load --plan full --peer opa=./opa-envoy-plugin --to report.json --output json`,
		Args: noArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.plan, "plan", "standard", "what is measured unless flags say otherwise: standard or full")
	flags.StringSliceVar(&f.variants, "variants", nil, "names, separated by commas; in every cell")
	flags.StringSliceVar(&f.modes, "mode", nil, "of wonted: shadow, enforce or shadow,enforce")
	flags.StringArrayVar(&f.peers, "peer", nil, "opa=PATH or extproc=CMD; may be repeated")
	flags.StringVar(&f.target, "target", "", "http://host:port of an Envoy that runs already")
	flags.StringSliceVar(&f.identities, "identities", nil, "how many callers there are, such as 1e3,1e5,1e6 (1e3)")
	flags.StringSliceVar(&f.concurrency, "concurrency", nil, "requests in flight, such as 1,16,64 (16; 256 with --rate)")
	flags.Float64Var(&f.rate, "rate", 0, "requests/s of an open loop; 0: closed")
	flags.DurationVar(&f.think, "think", 0, "of a closed loop: how long a client waits between answer and next request, on average (exponential)")
	flags.StringVar(&f.protocol, "protocol", bench.HTTP1, bench.HTTP1+" or "+bench.HTTP2)
	flags.StringVar(&f.scenario, "scenario", bench.ScenarioAPI, bench.ScenarioAPI+" (small answers) or "+bench.ScenarioBodies+" (100 KB each)")
	flags.Float64Var(&f.attack, "attack", 0, "share of requests with stolen keys or none (the plan's)")
	flags.IntVar(&f.rounds, "rounds", 0, "of each cell (the plan's)")
	flags.DurationVar(&f.duration, "duration", 0, "of a variant in a round (the plan's)")
	flags.DurationVar(&f.warmUp, "warm-up", 0, "before it, not counted (the plan's)")
	flags.IntVar(&f.procs, "procs", 0, "GOMAXPROCS of wonted (1)")
	flags.BoolVar(&f.burst, "burst", false, "also measure p99 while wonted reloads, saves and is scraped")
	flags.BoolVar(&f.strict, "strict", false, "of --plan full: fail where a target is missed or not measured")
	flags.StringVar(&f.output, "output", "text", "text, json or html")
	flags.StringVar(&f.to, "to", "", "file for the report (standard output)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		write, ok := reportFormats[f.output]
		if !ok {
			return misuse("--output takes text, json or html", "--output %q is not known", f.output)
		}
		plan, err := f.read(cmd)
		if err != nil {
			return err
		}
		return benchLoad(cmd.Context(), plan, std, f.to, write, f.strict)
	}
	return cmd
}

// benchLoad runs the plan and writes what there is of a report, whatever
// becomes of it.
func benchLoad(ctx context.Context, plan bench.Plan, std stdio, to string, write func(*bench.Report, io.Writer) error, strict bool) error {
	if err := writable(to); err != nil { // found out before half an hour has passed
		return advise(fmt.Errorf("bench: %w", err), "--to names a file that can be written, in a directory that exists")
	}
	report, failed := bench.Run(ctx, plan, std.err)
	if report != nil && len(report.Cells) > 0 {
		var text bytes.Buffer
		if err := write(report, &text); err != nil {
			return err
		}
		if err := deliver(text.Bytes(), std.out, to); err != nil {
			return err
		}
	}
	switch {
	case failed != nil:
		return fmt.Errorf("bench: %w", failed)
	case report.Partial:
		return fmt.Errorf("bench: interrupted: what is reported is all there is")
	case len(report.Failures) > 0:
		return advise(fmt.Errorf("bench: this run does not count:\n%s", strings.Join(report.Failures, "\n")),
			"an unloaded machine, a lower --concurrency or --rate, or fewer --variants may show which one is at fault")
	}
	if strict {
		return passed(report)
	}
	return nil
}

// writable says why a report could not be written to a file, or nil. It leaves
// no file that was not there: an empty one would look like a report.
func writable(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err == nil {
		return errors.Join(file.Close(), os.Remove(path))
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if file, err = os.OpenFile(path, os.O_WRONLY, 0); err != nil {
		return err
	}
	return file.Close()
}

// deliver writes a report to a file, or to out where none is named.
func deliver(text []byte, out io.Writer, to string) error {
	if to == "" {
		_, err := out.Write(text)
		return err
	}
	if err := os.WriteFile(to, text, 0o644); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}
