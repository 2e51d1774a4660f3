package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
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
	var format, output string
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
read are counted and skipped.

With --output json one object is printed for each exchange that is not plainly
allowed, and a summary at the end.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misuse("name a recording, an access log or a HAR, or - for standard input", "%s needs a FILE", cmd.CommandPath())
			}
			return nil
		},
	}
	set := withSettings(cmd, "policy.path")
	cmd.Flags().StringVar(&format, "format", "auto", "how FILE is written: "+recorded.FormatNames())
	outputFlag(cmd, &output)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := recorded.ParseFormat(format)
		if err != nil {
			return misuse("--format takes "+recorded.FormatNames(), "--format %q is not known", format)
		}
		show, err := newShow(std.out, output)
		if err != nil {
			return err
		}
		cfg, err := set.load()
		if err != nil {
			return err
		}
		return replay(cmd.Context(), cfg, args, f, std, show)
	}
	return cmd
}

// replay plays the files through and shows what comes of it.
func replay(ctx context.Context, cfg *config.Config, names []string, format recorded.Format, std stdio, show show) error {
	start := time.Now()
	in, err := openTape(names, format, std.in)
	if err != nil {
		return err
	}
	defer in.close()
	secret, err := replaySecret(cfg, in)
	if err != nil {
		return err
	}
	log := newLogger(std.err, max(cfg.LogLevel.Level, zerolog.WarnLevel))
	for _, w := range cfg.Warnings {
		log.Warn().Msg(w)
	}
	p, err := newPlayer(cfg, secret, log)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return fmt.Errorf("replay: %w", ctx.Err())
		}
		next, err := in.next()
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		odd, err := p.play(next.exchange)
		if err != nil {
			next.file.reject(&recorded.LineError{Line: next.line, Err: err})
			continue
		}
		if odd != nil {
			if err := show.exchange(&oddExchange{odd, next.line, in.label(next.file)}); err != nil {
				return err
			}
		}
	}
	in.complain(std.err)
	if p.tally.exchanges == 0 {
		return in.nothing()
	}
	if p.late > 0 {
		fmt.Fprintf(std.err, "%s began more than a minute before one that is recorded earlier, and was judged at the later time\n", plural(p.late, "exchange"))
	}
	sum := p.tally.summary(cfg.Budget.Alerts, time.Since(start))
	if sum.WithoutRequest = in.withoutRequest(); !p.tally.named {
		sum.advice = in.namesAdvice()
	}
	return show.end(sum, &p.tally)
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
