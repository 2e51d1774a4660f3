package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/policy/rego"
)

// tookPolicy notes which policy is in force, and what it is warned of.
func (s *service) tookPolicy(e *rego.Engine) {
	s.revision = e.Revision()
	s.upkeep.policy(s.revision, time.Now())
	s.trouble.clear("policy")
	var warnings []string
	for _, w := range e.Warnings() {
		warnings = append(warnings, fmt.Sprint(w))
		s.log.Warn().Str("revision", s.revision).Msgf("policy: %v", w)
	}
	s.trouble.set("policy warnings", strings.Join(warnings, "; "))
	for _, why := range e.Unmemoised() {
		s.log.Info().Str("revision", s.revision).Msgf("policy: evaluated for every request, which costs more than a remembered decision: %v", why)
	}
}

// changePolicy puts a policy in force. A broken one leaves the old in force,
// and says so until it is mended.
func (s *service) changePolicy(e *rego.Engine, err error) {
	s.reload.Lock()
	defer s.reload.Unlock()
	switch {
	case err != nil:
		s.upkeep.reloadFailures.WithLabelValues("policy").Inc()
		s.trouble.set("policy", "the changed policy cannot be used, the old one stays in force: "+err.Error())
		s.log.Error().Err(err).Str("revision", s.revision).Msg("the changed policy cannot be used, the old one stays in force")
	case e.Revision() == s.revision:
		s.trouble.clear("policy")
	default:
		s.routes.Keep(e.Routes()) // before it asks for them
		s.gate.SetDecider(e)
		s.tookPolicy(e)
		told := s.log.Info().Str("revision", s.revision)
		if named := e.BundleRevision(); named != "" {
			told = told.Str("bundle_revision", named)
		}
		told.Msg("a changed policy is in force")
	}
}

// reconfigure takes from a configuration that has been read again what can
// change under traffic, and says of the rest that it needs a restart.
func (s *service) reconfigure(next *config.Config, err error) {
	if err != nil {
		s.upkeep.reloadFailures.WithLabelValues("config").Inc()
		s.trouble.set("configuration", "the changed configuration cannot be used, the old one stays in force: "+err.Error())
		s.log.Error().Err(err).Msg("the changed configuration cannot be used, the old one stays in force")
		return
	}
	s.trouble.clear("configuration")
	s.reload.Lock()
	if next.Mode != s.gate.Mode() {
		s.gate.SetMode(next.Mode)
		s.blocks.SetMode(next.Mode)
		s.cfg.Mode = next.Mode
		s.log.Info().Stringer("mode", next.Mode).Msg("the mode has changed")
	}
	if !reflect.DeepEqual(next.Rules, s.cfg.Rules) {
		s.gate.SetRules(next.Rules)
		s.cfg.Rules = next.Rules
		s.log.Info().Msg("for whom rules are in force has changed")
	}
	s.changeBudget(next.Budget)
	s.renameIdentities(next.Identity)
	s.changeCredentials()
	if keys := restartKeys(s.cfg, next); len(keys) > 0 {
		s.log.Warn().Strs("keys", keys).Msg("restart needed: these settings have changed and are not taken up while running")
	}
	path := s.cfg.Policy.Path
	s.reload.Unlock()

	if path != "" {
		s.changePolicy(rego.Load(path))
	}
	s.log.Info().Msg("configuration reloaded")
}

// renameIdentities takes new display names; a rule that finds other identities
// would mix up profiles under way, and waits for a restart.
func (s *service) renameIdentities(next identity.Config) {
	if slices.Equal(next, s.cfg.Identity) || !slices.Equal(unnamed(next), unnamed(s.cfg.Identity)) {
		return
	}
	r, err := identity.New(next, s.key, s.cfg.TrustedProxies)
	if err != nil {
		s.log.Error().Err(err).Msg("identity rules")
		return
	}
	s.resolver.Store(r)
	s.cfg.Identity = next
	s.log.Info().Msg("names of identities have changed")
}

func unnamed(rules identity.Config) identity.Config {
	rules = slices.Clone(rules)
	for i := range rules {
		rules[i].Name = ""
	}
	return rules
}

// restartKeys are the settings that differ between what runs and what was
// read.
func restartKeys(running, next *config.Config) (keys []string) {
	a, b := reflect.ValueOf(*running), reflect.ValueOf(*next)
	for i := range a.NumField() {
		key := a.Type().Field(i).Tag.Get("yaml")
		if key == "-" || key == "mode" || reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			continue
		}
		if key == "identity" {
			key += " (callers get new profiles then)"
		}
		keys = append(keys, key)
	}
	return keys
}
