package main

import (
	"bytes"
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
)

// configPoll is how soon a changed configuration is taken up without a signal:
// nobody can send one into a pod whose ConfigMap has changed. What a file says
// counts and not its time, so that the symlink by which Kubernetes swaps it does.
const configPoll = 5 * time.Second

// watchConfig takes up the configuration at SIGHUP, and where its file has
// changed, until ctx is done.
func (s *service) watchConfig(ctx context.Context, again func() (*config.Config, error)) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	var tick <-chan time.Time
	read := func() []byte { return nil }
	if file := s.cfg.File; file != "" {
		ticker := time.NewTicker(configPoll)
		defer ticker.Stop()
		tick = ticker.C
		read = func() []byte {
			text, _ := os.ReadFile(file)
			return text
		}
	}
	last := read()
	for {
		select {
		case <-hup:
			last = read()
		case <-tick:
			now := read()
			if now == nil || bytes.Equal(now, last) { // not there: it is being replaced
				continue
			}
			last = now
		case <-ctx.Done():
			return
		}
		s.bursts.run(func() { s.reconfigure(again()) })
	}
}
