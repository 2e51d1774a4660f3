package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/scoring/recorded"
)

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
	p, err := newPlayer(cfg, secret, log, o.policies...)
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
	if p.versus != nil {
		sum.Compared = p.versus.summary(&p.tally)
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
