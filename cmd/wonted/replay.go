package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
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

FILE is wonted's own JSONL or an Envoy JSON access log, gzipped or not; - is
standard input. Several files are read as one, in the order of their times.
Profiles start empty: the first days teach, the later ones are judged.

With --output json one object is printed for each exchange that is not plainly
allowed, and a summary at the end.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misuse("name a recording or an Envoy JSON access log, or - for standard input", "%s needs a FILE", cmd.CommandPath())
			}
			return nil
		},
	}
	set := withSettings(cmd, "policy.path")
	cmd.Flags().StringVar(&format, "format", "auto", "how FILE is written: auto, wonted or envoy")
	outputFlag(cmd, &output)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := recorded.ParseFormat(format)
		if err != nil {
			return misuse("--format takes auto, wonted or envoy", "--format %q is not known", format)
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
			next.file.reject(next.line, err)
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
	sum.WithoutRequest, sum.nameless = in.withoutRequest(), in.log() && !p.tally.named
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

// readable opens one file for reading, with errors that say what to do.
func readable(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, advise(fmt.Errorf("replay: %w", err), "name a recording or an Envoy JSON access log, or - for standard input")
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("is a directory")
	}
	if err != nil {
		f.Close()
		return nil, advise(fmt.Errorf("replay: %s: %w", name, err), "name the files in it: wonted replay %s/*", name)
	}
	return f, nil
}
