package main

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/rego"
	"github.com/wonted-project/wonted/scoring/recorded"
)

// recordedInputs are those of the exchange in a line of a recording, one a
// phase. What is before it is played, as replay does.
func recordedInputs(ctx context.Context, cfg *config.Config, name string, line int, std stdio) ([]map[string]any, error) {
	in, err := openTape(ctx, []string{name}, recorded.Auto, false, std.in)
	if err != nil {
		return nil, err
	}
	secret, err := replaySecret(cfg, in)
	if err != nil {
		in.close()
		return nil, err
	}
	p, err := newPlayer(cfg, secret, newLogger(std.err, max(cfg.LogLevel.Level, zerolog.WarnLevel)))
	if err != nil {
		in.close()
		return nil, err
	}
	batches, end := readAhead(ctx, in)
	defer end()
	for batch := range batches {
		for _, m := range batch {
			if m.line != line {
				_, _ = p.play(m.exchange) // one that cannot be judged teaches nothing
				continue
			}
			seen := new(watcher)
			p.gate.SetDecider(seen)
			if _, err := p.play(m.exchange); err != nil {
				return nil, fmt.Errorf("line %d of %s: %w", line, name, err)
			}
			return seen.inputs, seen.err
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, advise(fmt.Errorf("there is no exchange in line %d of %s", line, name), "wonted replay --output json tells the lines of what is odd")
}

// watcher takes down what a policy is asked, and allows it.
type watcher struct {
	inputs []map[string]any
	err    error
}

func (w *watcher) Reads(policy.Phase) bool { return true }

func (w *watcher) Decide(_ context.Context, in *policy.Input) (*policy.Decision, error) {
	doc, err := rego.Document(in)
	if err != nil {
		w.err = err
	}
	w.inputs = append(w.inputs, doc)
	return &policy.Decision{Action: policy.Allow}, nil
}
