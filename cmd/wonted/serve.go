package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/extproc"
	"github.com/wonted-project/wonted/policy/rego"
)

// newServe is the service itself, until a signal ends it.
func newServe(std stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Judge the exchanges that Envoy sends",
		Long: `Judge the exchanges that Envoy sends.

Without a configuration wonted serves in shadow mode: it profiles every caller,
scores every exchange and records what it would have done, and changes nothing.

SIGHUP reads configuration and policy again: policy, data, mode and names of
identities are taken up, for the rest the log says that a restart is needed.
SIGTERM and SIGINT finish what is under way, save the profiles and end; a second
one ends at once. A Unix socket is made with mode 0660, so that Envoy must run
as the same user or in the same group. GOGC is 400 unless set otherwise: memory
is mostly profiles, which are not garbage.`,
		Args: noArgs,
	}
	set := withSettings(cmd, "mode", "listen", "admin", "fail", "depth", "data_dir", "policy.path", "record.path")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := set.load()
		if err != nil {
			return err
		}
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(400)
		}
		log := newLogger(std.err, cfg.LogLevel.Level)
		sv, err := newService(cfg, log)
		if err != nil {
			return err
		}
		return sv.serve(cmd.Context(), set.load)
	}
	return cmd
}

// stopGrace is how long streams that were cut off may take to notice.
const stopGrace = 2 * time.Second

// serve opens the listeners, works until ctx is done, and takes everything down
// in the order that loses nothing.
func (s *service) serve(ctx context.Context, again func() (*config.Config, error)) error {
	doors, err := s.openDoors()
	if err != nil {
		return err
	}
	defer doors.close()

	server := grpc.NewServer(append(extproc.ServerOptions(), grpc.WaitForHandlers(true))...)
	s.stream.Register(server)
	alive := health.NewServer()
	healthpb.RegisterHealthServer(server, alive)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(doors.stream) }()
	h := &web{sv: s}
	if doors.admin != nil {
		defer serveHTTP(s, "admin", doors.admin, h.admin()).Close()
	}
	if doors.metrics != nil {
		defer serveHTTP(s, "metrics", doors.metrics, h.public()).Close()
	}

	stopUpkeep := s.lookAfter(again)
	s.log.Info().Str("listen", doors.stream.Address).Str("admin", doors.admin.address()).Str("metrics", doors.metrics.address()).
		Stringer("mode", s.cfg.Mode).Stringer("fail", s.cfg.Fail).Str("policy", s.revision).
		Str("version", thisBuild().Version).Msg("ready")

	select {
	case <-ctx.Done():
	case err = <-failed:
		err = advise(err, "the listener on %s has failed; start wonted again", doors.stream.Address)
	}
	s.log.Info().Dur("deadline", time.Duration(s.cfg.Drain)).Msg("draining")
	h.draining.Store(true)
	alive.Shutdown() // NOT_SERVING, for good
	stop(server, time.Duration(s.cfg.Drain), s.log)
	if n := s.stream.Drain(); n > 0 {
		s.log.Warn().Int("exchanges", n).Msg("closed as unknown: they were still under way")
	}
	stopUpkeep()
	return errors.Join(err, s.save())
}

// stop lets open streams finish, but not for ever.
func stop(server *grpc.Server, deadline time.Duration, log zerolog.Logger) {
	done := make(chan struct{})
	go func() {
		server.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
		return
	case <-time.After(deadline):
	}
	log.Warn().Msg("the deadline has passed: open streams are cut off")
	go server.Stop()
	select {
	case <-done:
	case <-time.After(stopGrace):
	}
}

// lookAfter runs what has to happen beside traffic, until the function that it
// returns is called, which waits for all of it.
func (s *service) lookAfter(again func() (*config.Config, error)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { s.stream.Run(ctx) })
	all.Go(func() { s.reports.Run(ctx) })
	if s.recorder != nil {
		all.Go(func() { s.recorder.run(ctx) })
	}
	if s.cfg.DataDir != "" {
		all.Go(func() { s.saveRegularly(ctx) })
	}
	if dir := s.cfg.Policy.Path; dir != "" {
		all.Go(func() { rego.Watch(ctx, dir, s.changePolicy) })
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	all.Go(func() {
		defer signal.Stop(hup)
		for {
			select {
			case <-hup:
				s.reconfigure(again())
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		all.Wait()
	}
}

// doors are the listeners; those that are not wanted are nil.
type doors struct{ stream, admin, metrics *listener }

// openDoors opens all listeners or none.
func (s *service) openDoors() (d *doors, err error) {
	d = &doors{}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if d.stream, err = listen("listen", s.cfg.Listen); err != nil {
		return d, err
	}
	if s.cfg.Admin != "" {
		if d.admin, err = listen("admin", s.cfg.Admin); err != nil {
			return d, err
		}
	}
	if s.cfg.Metrics != "" {
		if d.metrics, err = listen("metrics", s.cfg.Metrics); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (d *doors) close() {
	for _, l := range []*listener{d.stream, d.admin, d.metrics} {
		if l != nil {
			l.Close()
		}
	}
}
