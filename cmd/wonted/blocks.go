package main

import (
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/policy/quarantine"
	"github.com/wonted-project/wonted/scoring/profile"
)

// openQuarantine makes the table of blocks, which knows who uses which network.
func (s *service) openQuarantine() error {
	s.blocks = quarantine.New(quarantine.Options{
		Config: s.cfg.Quarantine, Mode: s.cfg.Mode, Trusting: s.cfg.TrustedProxies > 0,
		Log: s.log, Registerer: s.reg,
		Key:     func(kind profile.Kind, value []byte) profile.Key { return s.resolver.Load().Key(kind, value) },
		Trouble: func(text string) { s.trouble.set("quarantine", text) },
	})
	return s.load(quarantine.StandingFile, "until somebody uses a network again, a block of it seems to hit nobody",
		func(b []byte) error { return s.blocks.DecodeStanding(b, s.key.ID()) })
}

// loadQuarantine takes up who was blocked, where there is a data_dir. shared:
// another wonted, which is being taken over from, still has the journal.
func (s *service) loadQuarantine(shared bool) error {
	if s.cfg.DataDir == "" {
		return nil
	}
	report, err := s.blocks.Load(s.cfg.DataDir, s.key.ID(), time.Now(), shared)
	if err != nil {
		return advise(err, "make data_dir readable and writable for this user, or move %s away to release everybody", quarantine.File)
	}
	level := zerolog.InfoLevel
	e := func() *zerolog.Event { return s.log.WithLevel(level).Str("data_dir", s.cfg.DataDir) }
	if report.Exempt > 0 {
		e().Int("blocks", report.Exempt).Msg("not taken up again: quarantines of who is never blocked by now")
	}
	if report.Aside != "" {
		level = zerolog.WarnLevel
		e().Msgf("%s is kept as %s: %s; %d quarantines could be read", quarantine.File, report.Aside, strings.Join(report.Reasons, ", "), report.Blocks)
	} else if report.Blocks > 0 {
		e().Int("blocks", report.Blocks).Msg("quarantines are in force as before")
	}
	return nil
}
