package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/cmd/wonted/internal/tracing"
	"github.com/wonted-project/wonted/envoy/edge"
	"github.com/wonted-project/wonted/extproc"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/extproc/signin"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/policy/exception"
	"github.com/wonted-project/wonted/policy/flight"
	"github.com/wonted-project/wonted/policy/quarantine"
	"github.com/wonted-project/wonted/policy/rego"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/route"
)

// service is wonted without its listeners: what judges exchanges, and what has
// to be looked after meanwhile.
type service struct {
	cfg    *config.Config
	began  time.Time
	log    zerolog.Logger
	reg    *prometheus.Registry
	upkeep *upkeep
	bursts bursts

	key      identity.Secret
	store    *profile.Store
	peers    *calibrate.Peers
	routes   *route.Table
	resolver resolver
	scorer   *scoring.Scorer
	blocks   *quarantine.Table
	edge     *edge.Publisher // of those blocks that Envoy carries out
	gate     *policy.Gate
	stream   *extproc.Server
	reports  *reportLog
	excepted *exception.List
	verdicts *decisions
	flights  *flight.Recorder
	recorder *recorder // nil: nothing is recorded
	guard    *admin.Guard
	trail    *admin.Trail
	decided  *rego.DecisionLog // nil: decisions are not logged
	tracer   *tracing.Tracer   // nil: nothing is traced
	bundle   *rego.Bundle      // nil: the policy comes from a directory, or is the default

	reload   sync.Mutex // one change of policy or settings at a time
	revision string     // of the policy in force
	trouble  troubles
	saving   sync.Mutex
	lent     bool // data_dir, to a successor: nothing is written; guarded by saving

	forgotten bool // somebody, whom data_dir may still know; guarded by saving
}

// newService builds the parts in the order in which an operator's mistakes
// should come to light: policy, key, data. What can be wrong at once is looked at
// before profiles are loaded, which takes seconds where there are many.
func newService(cfg *config.Config, log zerolog.Logger) (*service, error) {
	s := &service{cfg: cfg, began: time.Now(), log: log, reg: newRegistry(), flights: flight.New()}
	s.upkeep = newUpkeep(s.reg)
	engine, err := s.openPolicy()
	if err != nil {
		return nil, err
	}
	if err := s.openStore(); err != nil {
		return nil, err
	}
	if err := s.openCalibration(); err != nil {
		return nil, err
	}
	if err := s.openAdmin(); err != nil {
		return nil, err
	}
	rules, err := identity.New(cfg.Identity, s.key, cfg.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	s.resolver.Store(rules)
	s.resolver.expect(cfg)
	signIns, err := signin.New(cfg.Login)
	if err != nil {
		return nil, err
	}
	recorder, err := s.openRecorders()
	if err != nil {
		return nil, err
	}
	if recorder, err = s.openTracing(recorder); err != nil {
		return nil, err
	}
	decisionLog, err := s.openDecisionLog()
	if err != nil {
		return nil, err
	}
	s.reports = newReportLog(log, s.reg)
	if s.verdicts, err = openDecisions(cfg.DataDir, s.flights, log, s.reg); err != nil {
		return nil, err
	}
	if err := s.openRoutes(engine); err != nil {
		return nil, err
	}
	showRoutes(s.reg, s.routes)
	s.scorer = scoring.New(scoring.Config{
		Store: s.store, Routes: s.routes, Location: cfg.Timezone.Location,
		Calibrator: s.peers, Cohorts: cfg.Cohorts, Replaced: tellReplaced(s.reg, log), VersionHeaders: cfg.Routes.VersionHeaders,
	})
	if err := s.load(normsFile, "what cohorts have in common is learned anew, which takes some days", s.scorer.SetNorms); err != nil {
		return nil, err
	}
	if err := s.openExceptions(); err != nil {
		return nil, err
	}
	if err := s.openQuarantine(); err != nil {
		return nil, err
	}
	if err := s.openEdge(); err != nil {
		return nil, err
	}
	s.gate = policy.NewGate(policy.Config{
		Scorer:     s.scorer,
		Blocks:     s.blocks,
		Decider:    engine,
		Mode:       cfg.Mode,
		Rules:      cfg.Rules,
		Exceptions: s.excepted,
		Breaker:    policy.BreakerConfig{Enabled: cfg.Breaker.Enabled, Quiet: time.Duration(cfg.Breaker.Quiet)},
		Fail:       cfg.Fail,
		Sink:       sinks{s.reports, s.verdicts},
		Recorder:   recorder,
		Decisions:  decisionLog,
		Deadline:   time.Duration(cfg.DecisionDeadline),
		Log:        log,
		Registerer: s.reg,
		Location:   cfg.Timezone.Location,
		Clock:      time.Now,
		Explain:    policy.DefaultExplain,
	})
	if err := s.load(rulesFile, "what the breaker knows of rules is learned anew, and all rules are in force", s.gate.DecodeRules); err != nil {
		return nil, err
	}
	showMode(s.reg, s.gate.Mode)
	s.tookPolicy(engine)
	s.stream = extproc.New(extproc.Config{
		Gate: s.gate, Identity: &s.resolver, SignIns: signIns, Operations: s.scorer, Clock: time.Now,
		Deadline: time.Duration(cfg.Deadline),
		Depth:    depths[cfg.Depth],
		StepUp:   cfg.Challenge,
		Traced:   s.tracer != nil,
		Fail:     cfg.Fail, Log: log, Registerer: s.reg,
	})
	showMisconfigurations(s)
	showUnprotected(s.reg, s.stream.Stats)
	for _, w := range cfg.Warnings {
		log.Warn().Msg(w)
	}
	return s, nil
}

// depths are what the stream does at each depth of the configuration; what
// Envoy shows comes from wonted envoy config.
var depths = map[config.Depth]extproc.Depth{
	config.Log: extproc.DepthLog, config.Lean: extproc.DepthLean, config.Adaptive: extproc.DepthAdaptive,
	config.Headers: extproc.DepthHeaders, config.Bodies: extproc.DepthBodies,
}

// openStore makes the key and the profile store, from data_dir where there is
// one.
func (s *service) openStore() (err error) {
	dir := s.cfg.DataDir
	if dir != "" {
		if err := usableDir(dir); err != nil {
			return err
		}
	}
	if s.key, err = identitySecret(s.cfg, s.log); err != nil {
		return err
	}
	if dir == "" {
		s.store = profile.New(s.cfg.Profile)
	} else {
		var report profile.LoadReport
		s.store, report, err = profile.Load(dir, s.cfg.Profile, s.meta())
		if err != nil {
			return advise(err, "make data_dir readable and writable for this user, or leave it empty to keep profiles in memory only")
		}
		if !report.Saved.IsZero() {
			s.upkeep.snapshotAt.Set(seconds(report.Saved))
		}
		level := zerolog.InfoLevel
		if len(report.Aside) > 0 || report.Dropped > 0 {
			level = zerolog.WarnLevel
		}
		s.log.WithLevel(level).Str("data_dir", dir).Int("profiles", report.Records).Msg(report.String())
	}
	s.reg.MustRegister(newStoreCollector(s.store.Stats))
	return nil
}

func (s *service) meta() profile.Meta { return profile.Meta{KeyID: s.key.ID(), Now: time.Now()} }

// usableDir refuses a data_dir that could not be written later.
func usableDir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a directory", dir)
	}
	if err != nil {
		return advise(fmt.Errorf("data_dir: %w", err), "make it first: mkdir -p %s, or leave data_dir empty to keep profiles in memory only", dir)
	}
	if err := tryWrite(dir); err != nil {
		return advise(fmt.Errorf("data_dir: %w", err), "make %s writable for this user, or leave data_dir empty to keep profiles in memory only", dir)
	}
	return nil
}

// save writes a snapshot, where there is a place for it.
func (s *service) save() error {
	if s.cfg.DataDir == "" {
		return nil
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	if s.lent {
		return errLent
	}
	return s.write()
}

// write is save for who holds saving.
func (s *service) write() error {
	start := time.Now()
	var err error
	s.bursts.run(func() {
		err = errors.Join(s.dropAside(), s.saveLearned(), s.store.Save(s.cfg.DataDir, s.meta()))
	})
	if err != nil {
		s.upkeep.snapshotFailures.Inc()
		s.trouble.set("snapshot", err.Error())
		s.log.Error().Err(err).Msg("profiles could not be saved")
		return err
	}
	s.trouble.clear("snapshot")
	s.upkeep.snapshotAt.Set(seconds(time.Now()))
	s.upkeep.snapshotSeconds.Set(time.Since(start).Seconds())
	s.log.Debug().Dur("took", time.Since(start)).Msg("profiles saved")
	return nil
}

// saveRegularly saves until ctx is done.
func (s *service) saveRegularly(ctx context.Context) {
	tick := time.NewTicker(time.Duration(s.cfg.SnapshotEvery))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = s.save() // logged and counted there
		case <-ctx.Done():
			return
		}
	}
}

// loadPolicy compiles the policy of a directory or a bundle's file, or the
// default one.
func loadPolicy(dir string) (*rego.Engine, error) {
	if dir == "" {
		return rego.Default()
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() && !rego.IsBundle(dir) {
		if err == nil {
			err = fmt.Errorf("%s is not a directory", dir)
		}
		return nil, advise(fmt.Errorf("policy: %w", err), "policy.path (--policy) names a directory of .rego and .json files; leave it out for the default policy")
	}
	e, err := rego.Load(dir)
	if err != nil {
		return nil, advise(err, "mend the policy in %s; until then leave --policy out for the default one", dir)
	}
	return e, nil
}

// tryWrite finds out now what a snapshot would otherwise find out later:
// permission bits do not tell the whole truth.
func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".wonted-*")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}
