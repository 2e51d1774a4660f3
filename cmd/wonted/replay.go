package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/extproc/identity"
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
as it comes, and the summary when Ctrl-C ends it; the exit status is then 0.

--report writes the same as one page of HTML with charts, which needs nothing
else and may be mailed: it names identities as --output does, and routes.

With --output json one object is printed for each exchange that is not plainly
allowed, and a summary at the end.

--fail-on 'METRIC OP NUMBER' makes a build fail: ` + "`denied > 0.1%`" + ` of exchanges,
` + "`challenged >= 20`" + ` exchanges, ` + "`denied > 3 callers`" + `. METRIC is denied, throttled,
challenged or anomalous; OP is >, >= or <. Several may be given. The exit status
is 0 where none of them holds, 3 where one does, 1 where the replay itself failed
and 2 where the command line is wrong.`,
		Example: `  wonted replay /var/log/apache2/access.log*
  wonted replay --policy new/ --report would.html traffic.jsonl
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
	set := withSettings(cmd, "policy.path")
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
		if o.failOn, err = parseConditions(failOn); err != nil {
			return err
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
}

// replay plays the files through and shows what comes of it.
func replay(ctx context.Context, cfg *config.Config, o replayOptions, std stdio, show show) error {
	start := time.Now()
	if err := writable(o.report); err != nil { // found out before all is read
		return advise(fmt.Errorf("replay: %w", err), "--report names a file that can be written, in a directory that exists")
	}
	in, err := openTape(ctx, o.names, o.format, o.follow, std.in)
	if err != nil {
		return err
	}
	secret, err := replaySecret(cfg, in)
	if err != nil {
		in.close()
		return err
	}
	log := newLogger(std.err, max(cfg.LogLevel.Level, zerolog.WarnLevel))
	for _, w := range cfg.Warnings {
		log.Warn().Msg(w)
	}
	p, err := newPlayer(cfg, secret, log)
	if err != nil {
		in.close()
		return err
	}
	batches, end := readAhead(ctx, in)
	defer end()
	bar := newProgress(std, o.follow || o.output != "text" && terminal(std.out), start)
	for batch := range batches {
		for _, next := range batch {
			if err := p.next(next, in, show); err != nil {
				return err
			}
		}
		bar.show(time.Now(), in.read.Load(), in.total, p.tally.exchanges)
	}
	bar.clear()
	if ctx.Err() != nil && !o.follow {
		return fmt.Errorf("replay: %w", ctx.Err())
	}
	in.complain(std.err)
	if p.tally.exchanges == 0 {
		return in.nothing()
	}
	if p.late > 0 {
		fmt.Fprintf(std.err, "%s came more than a minute (or %s exchanges) later than one that began later, and was judged at the later time\n",
			plural(p.late, "exchange"), grouped(lateEvents))
	}
	sum := p.tally.summary(cfg.Budget.Alerts, time.Since(start))
	if sum.WithoutRequest = in.withoutRequest(); !p.tally.named {
		sum.advice = in.namesAdvice()
	}
	if err := show.end(sum, &p.tally); err != nil {
		return err
	}
	if o.report != "" {
		if err := p.tally.write(o.report, sum, in, p.late); err != nil {
			return err
		}
	}
	return holding(o.failOn, &p.tally)
}

// replaySecret is the key under which identities are hashed: the configured
// one, so that hashes are those of serve; else one that is made of the
// recording itself. The same recording then always gives the same output, and
// nobody without it can try names against the hashes.
func replaySecret(cfg *config.Config, in *tape) (identity.Secret, error) {
	if cfg.IdentityKey != "" {
		return identity.LoadSecret(cfg.IdentityKey)
	}
	h := sha256.New()
	for _, f := range in.files {
		if f.head != nil {
			if err := recorded.NewEncoder(h).Encode(f.head); err != nil {
				return identity.Secret{}, err
			}
		}
	}
	return identity.Secret(h.Sum(nil)), nil
}
