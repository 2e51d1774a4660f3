// Package demo tells one crime twice, on a real Envoy: somebody with a stolen
// API key reads what its owner never reads, first through Envoy alone, then
// with wonted. Everything it prints was measured in the run that prints it;
// what wonted says is read from wonted's own reports.
//
// The stage (stage.go) is a sample API in this process (api.go), two Envoys
// and a wonted that is this same program as a child (child.go), so that it can
// be killed. Its past is five days of invented customers (customers.go,
// habits.go), played through the event-time path (line.go, history.go), the
// same packages as live with the time as a parameter; each act starts its
// wonted from a copy of that past, which is what "rewind" means. The thief
// (thief.go) and everybody else (crowd.go) then play live. A scene (scene.go)
// states what must happen (expectations.go) and fails with what was observed.
//
// It may import every package below cmd; it reads the clock, as cmd does.
// Start reading at Run, then telling.go for the scenes.
package demo

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/wonted-project/wonted/envoy"
)

// Options say how the story is told.
type Options struct {
	Program string    // the wonted binary, started as a child
	Text    io.Writer // where the story is told; nil: nowhere
	JSON    io.Writer // one object a scene; nil: none
	Colour  bool
	Pause   time.Duration // before each line, for those who watch
	Keep    bool          // leave everything running until ctx ends
	Now     time.Time     // the history ends here
}

// Run tells the story. It returns an error if a scene did not happen as told,
// and leaves nothing behind whatever happened. If ctx ends, it stops what it
// started and returns ctx's error.
func Run(ctx context.Context, opts Options) (err error) {
	if opts.Text == nil {
		opts.Text = io.Discard
	}
	binary, err := envoy.Find()
	if err != nil {
		return err
	}
	zone, zoneName := night(opts.Now)
	now := opts.Now.In(zone)
	s, err := raise(ctx, opts.Program, binary, zoneName)
	if err != nil {
		return interrupted(ctx, err)
	}
	defer func() {
		if struck := s.strike(); err == nil {
			err = struck
		}
	}()
	past, err := playHistory(ctx, now, customers())
	if err != nil {
		return interrupted(ctx, err)
	}
	if err := past.save(s.path("past"), now); err != nil {
		return err
	}
	t := &telling{
		teller: &teller{w: opts.Text, colour: opts.Colour, pause: opts.Pause},
		json:   opts.JSON, stage: s, past: past, now: now,
		owner: past.visitors[victim].customer, others: newCrowd(),
	}
	t.opening()
	for _, play := range []func(context.Context) error{t.without, t.watching, t.enforcing, t.cost, t.crash} {
		if err := play(ctx); err != nil {
			return interrupted(ctx, err)
		}
		if ctx.Err() != nil {
			return interrupted(ctx, nil)
		}
	}
	if err := t.boardScene(ctx); err != nil {
		return err
	}
	err = tale(t.scenes)
	if opts.Keep {
		if keepErr := t.keep(ctx); err == nil {
			err = keepErr
		}
	}
	return err
}

// interrupted prefers ctx's error: what fails because of Ctrl-C is no news.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("the demo was interrupted: %w", ctx.Err())
	}
	return err
}
