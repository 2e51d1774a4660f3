package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/policy/rego"
)

// bundlePatience is how long a start waits for a server where no bundle is kept.
const bundlePatience = 20 * time.Second

// openPolicy is the policy to begin with. Where a bundle is asked for and neither
// the server nor data_dir has one, there is none: to serve with another policy
// than the operator's would be a decision that nobody made.
func (s *service) openPolicy() (*rego.Engine, error) {
	c := &s.cfg.Policy
	if c.Bundle == "" {
		return loadPolicy(c.Path)
	}
	s.upkeep.followed = prometheus.NewGauge(prometheus.GaugeOpts{Name: "wonted_policy_followed_timestamp_seconds",
		Help: "When the bundle server last confirmed or changed the policy that is in force; 0: not since the start."})
	s.reg.MustRegister(s.upkeep.followed)
	ctx, cancel := context.WithTimeout(context.Background(), min(bundlePatience, time.Duration(c.Poll.Timeout+c.Poll.Wait)))
	defer cancel()
	var err error
	s.bundle, err = rego.OpenBundle(ctx, rego.BundleSource{
		Server:  rego.Server{URL: c.Bundle, Token: c.Token, CA: c.CA, Timeout: time.Duration(c.Poll.Timeout)},
		Signing: rego.Signing(c.Signing),
		Min:     time.Duration(c.Poll.Min), Max: time.Duration(c.Poll.Max), Wait: time.Duration(c.Poll.Wait),
		MaxBytes: int64(c.MaxBytes), Dir: s.cfg.DataDir, Log: s.log,
	}, s.bursts.run)
	if err != nil {
		return nil, advise(err, "policy.bundle (--policy) is the URL of an OPA bundle; with data_dir the last good one is kept, and used while its server is away")
	}
	return s.bundle.Engine(), nil
}

// changeBundle hears of every request to the bundle server. What cannot be used,
// and a server that is away, leave the policy in force as it is, and are said in
// the log once, in /readyz for as long as it lasts.
func (s *service) changeBundle(e *rego.Engine, err error) {
	if err != nil {
		s.upkeep.reloadFailures.WithLabelValues("policy").Inc()
		if s.trouble.set("policy bundle", "the policy in force stays: "+err.Error()) {
			s.log.Error().Err(err).Msg("no policy from the bundle server; the one in force stays")
		}
		return
	}
	s.trouble.clear("policy bundle")
	s.upkeep.followed.Set(seconds(time.Now()))
	s.changePolicy(e, nil)
}

// policyOf is where the policy of a configuration lies on this machine.
func policyOf(cfg *config.Config) (string, error) {
	if cfg.Policy.Bundle == "" {
		return cfg.Policy.Path, nil
	}
	kept := filepath.Join(cfg.DataDir, rego.KeptBundle)
	if _, err := os.Stat(kept); cfg.DataDir == "" || err != nil {
		return "", advise(fmt.Errorf("policy.bundle: no bundle is kept here"), "name a directory or a bundle's file with --policy, or the data_dir of the wonted that follows %s", cfg.Policy.Bundle)
	}
	return kept, nil
}
