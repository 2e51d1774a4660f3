package main

import (
	"github.com/wonted-project/wonted/policy/quarantine"
	"github.com/wonted-project/wonted/scoring/profile"
)

// openQuarantine makes the table of blocks.
func (s *service) openQuarantine() {
	s.blocks = quarantine.New(quarantine.Options{
		Config: s.cfg.Quarantine, Mode: s.cfg.Mode, Trusting: s.cfg.TrustedProxies > 0,
		Log: s.log, Registerer: s.reg,
		Key:     func(kind profile.Kind, value []byte) profile.Key { return s.resolver.Load().Key(kind, value) },
		Trouble: func(text string) { s.trouble.set("quarantine", text) },
	})
}
