package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
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

The files of configuration and policy are watched, and SIGHUP reads them again:
policy, data, mode, budget, rules and names of identities are taken up, for the rest
the log says that a restart is needed.
SIGTERM and SIGINT finish what is under way, save the profiles and end; a second
one ends at once. With --takeover a new wonted on the same socket loads what
the old one has just saved, serves on the same listeners, and only then tells it
to end: no request fails, and a change of version or settings costs the learning
of a few seconds. A Unix socket is made with mode 0660, so that Envoy must run
as the same user or in the same group.

GOGC is 400 unless set otherwise: memory is mostly profiles, which are not
garbage. In a container Go's memory is bounded by 90 % of the container's limit
less profile.memory, unless GOMEMLIMIT is set. GOMAXPROCS is Go's own choice, at
least 2 in a container; on a share of one core GOMAXPROCS=1 costs less.`,
		Args: noArgs,
	}
	set := withSettings(cmd, "mode", "listen", "admin", "fail", "depth", "data_dir", "policy.path", "record.path")
	takeover := cmd.Flags().Bool("takeover", false, "take over from the wonted that runs on the same socket; without one, just start")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := set.load()
		if err != nil {
			return err
		}
		log := newLogger(std.err, cfg.LogLevel.Level)
		tight, told := tune(cfg.Profile.Memory, log)
		var before *predecessor
		if *takeover {
			if before, err = takeOver(cmd.Context(), cfg, log); err != nil {
				return err
			}
			defer before.close()
		}
		var sv *service
		if err = roomFor("listen", cfg.Listen); err == nil {
			sv, err = newService(cfg, log)
		}
		if err != nil {
			if before == nil {
				tellProbes(cmd.Context(), cfg.Metrics, err, log)
			}
			return err
		}
		sv.trouble.set("memory", tight)
		told()
		return sv.serve(cmd.Context(), set.load, before)
	}
	return cmd
}

// stopGrace is how long streams that were cut off may take to notice.
const stopGrace = 2 * time.Second

// serve opens the listeners, works until ctx is done, and takes everything down
// in the order that loses nothing.
func (s *service) serve(ctx context.Context, again func() (*config.Config, error), before *predecessor) error {
	if err := s.loadQuarantine(before != nil); err != nil {
		return err
	}
	doors, err := s.openDoors(before)
	if err != nil {
		return err
	}
	defer doors.close()

	server := grpc.NewServer(append(extproc.ServerOptions(), grpc.WaitForHandlers(true))...)
	s.stream.Register(server)
	s.edge.Register(server)
	alive := health.NewServer()
	healthpb.RegisterHealthServer(server, alive)
	failed := make(chan error, 1)
	var stream net.Listener = doors.stream
	if s.cfg.RawSyscalls {
		stream = extproc.Direct(stream)
	}
	go func() { failed <- server.Serve(stream) }()
	h := &web{sv: s}
	var pages []*http.Server
	if doors.admin != nil {
		pages = append(pages, serveHTTP(s, "admin", doors.admin, h.admin(), s.guard.TLS()))
	}
	if doors.metrics != nil {
		pages = append(pages, serveHTTP(s, "metrics", doors.metrics, h.metrics(), nil))
	}
	defer func() {
		for _, p := range pages {
			p.Close()
		}
	}()

	stopUpkeep := s.lookAfter(again)
	before.dismiss(s.log, func() { s.blocks.Alone(time.Now()) })
	heir := s.offer(doors)
	defer heir.close()
	s.log.Info().Str("listen", doors.stream.Address).Str("admin", doors.admin.address()).Str("metrics", doors.metrics.address()).
		Stringer("mode", s.cfg.Mode).Stringer("fail", s.cfg.Fail).Str("policy", s.revision).
		Str("version", thisBuild().Version).Msg("ready")

	select {
	case <-ctx.Done():
	case err = <-failed:
		err = advise(err, "the listener on %s has failed; start wonted again", doors.stream.Address)
	case <-heir.taken:
		doors.leave(pages)
		s.log.Info().Dur("deadline", time.Duration(s.cfg.Drain)).Msg("a successor serves: finishing what is under way")
		s.edge.Close()
		go s.stream.EndLogs(logPatience)
		// Not NOT_SERVING: for whoever asks, wonted as a whole serves on.
		stop(server, time.Duration(s.cfg.Drain), s.log)
		s.stream.Drain()
		stopUpkeep()
		return nil // data_dir is the successor's
	}
	doors.control.shut()
	if s.reclaim() {
		doors.leave(pages) // a successor has them, and is about to serve
	}
	s.log.Info().Dur("deadline", time.Duration(s.cfg.Drain)).Msg("draining")
	h.draining.Store(true)
	alive.Shutdown() // NOT_SERVING, for good
	s.edge.Close()
	go s.stream.EndLogs(logPatience)
	stop(server, time.Duration(s.cfg.Drain), s.log)
	if n := s.stream.Drain(); n > 0 {
		s.log.Warn().Int("exchanges", n).Msg("closed as unknown: they were still under way")
	}
	stopUpkeep()
	return errors.Join(err, s.save())
}

// logPatience is for how long the access log is listened to after the last
// request: longer than Envoy keeps entries back.
const logPatience = time.Second

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
	all.Go(func() { s.verdicts.run(ctx) })
	all.Go(func() { s.blocks.Run(ctx, time.Now) })
	all.Go(func() { s.edge.Run(ctx) })
	if s.recorder != nil {
		all.Go(func() { s.recorder.run(ctx) })
	}
	all.Go(func() { s.tellLearning(ctx) })
	all.Go(func() { s.tendRules(ctx) })
	all.Go(func() { s.tendTrail(ctx) })
	if s.cfg.DataDir != "" {
		all.Go(func() { s.saveRegularly(ctx) })
	}
	if dir := s.cfg.Policy.Path; dir != "" {
		all.Go(func() { rego.Watch(ctx, dir, s.bursts.run, s.changePolicy) })
	}
	if s.decided != nil {
		all.Go(func() { s.decided.Run(ctx) })
	}
	if s.tracer != nil {
		all.Go(func() { s.trace(ctx) })
	}
	if s.bundle != nil {
		all.Go(func() { s.bundle.Watch(ctx, s.changeBundle) })
	}
	all.Go(func() { s.watchConfig(ctx, again) })
	return func() {
		cancel()
		all.Wait()
	}
}
