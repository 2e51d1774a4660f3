package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/wonted-project/wonted/cmd/wonted/internal/admin"
	"github.com/wonted-project/wonted/scoring/recorded"
)

// auditFile is in data_dir: every change that was made by the API. It has at
// most auditBytes; auditKeep full ones stay beside it.
const (
	auditFile  = "audit.jsonl"
	auditBytes = 8 << 20
	auditKeep  = 4
)

// openAdmin reads who may ask the admin listener, and opens the audit trail.
func (s *service) openAdmin() error {
	credentials, err := s.cfg.AdminAuth.Load()
	if err != nil {
		return err
	}
	s.guard = admin.NewGuard(credentials, time.Now, func(from string) {
		s.log.Warn().Str("from", from).Msg("the admin listener was asked with a wrong token")
	})
	s.warnOf(credentials)
	return s.openTrail()
}

func (s *service) warnOf(c *admin.Credentials) {
	for _, w := range c.Warnings {
		s.log.Warn().Msg("admin_auth: " + w)
	}
}

func (s *service) openTrail() error {
	tell := func(e admin.Entry) {
		s.log.Info().Str("who", e.Who).Str("user", e.User).Str("from", e.From).Str("method", e.Method).Str("path", e.Path).
			Str("about", e.About).Str("reason", e.Reason).Int("status", e.Status).Msg("a change was asked for")
	}
	if s.cfg.DataDir == "" {
		s.trail = admin.NewTrail(nil, tell)
		return nil
	}
	path := filepath.Join(s.cfg.DataDir, auditFile)
	f, err := recorded.OpenFile(path, auditBytes, auditKeep)
	if err != nil {
		return advise(fmt.Errorf("audit trail: %w", err), "make %s writable for this user", path)
	}
	s.trail = admin.NewTrail(f, tell)
	for _, path := range []string{path + ".1", path} {
		if err := s.readTrail(path); err != nil {
			return advise(fmt.Errorf("audit trail: %w", err), "make %s readable for this user", path)
		}
	}
	return nil
}

func (s *service) readTrail(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer f.Close()
	odd, err := s.trail.Read(f)
	if odd > 0 {
		s.log.Warn().Str("file", path).Int("lines", odd).Msg("lines of the audit trail are no entries: a power cut may have torn one")
	}
	return err
}

// complain tells whether the audit trail can be written.
func (s *service) complain(err error) {
	if err == nil {
		s.trouble.clear("audit")
		return
	}
	s.trouble.set("audit", "the audit trail cannot be written, and what does not release somebody or restore a rule is refused: "+err.Error())
	s.log.Error().Err(err).Msg("the audit trail cannot be written")
}

// tendTrail takes the warning back when the audit trail can be written again,
// until ctx is done: else it would stay until somebody asks for a change.
func (s *service) tendTrail(ctx context.Context) {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.retryTrail()
		case <-ctx.Done():
			return
		}
	}
}

func (s *service) retryTrail() {
	if s.trouble.has("audit") && s.trail.Probe() == nil {
		s.trouble.clear("audit")
		s.log.Info().Msg("the audit trail can be written again")
	}
}

// changeCredentials reads tokens and certificates again: they can be exchanged
// without a restart.
func (s *service) changeCredentials() {
	credentials, err := s.cfg.AdminAuth.Load()
	if err != nil {
		s.upkeep.reloadFailures.WithLabelValues("config").Inc()
		s.trouble.set("admin_auth", "the old tokens and certificates stay in force: "+err.Error())
		s.log.Error().Err(err).Msg("the old tokens and certificates stay in force")
		return
	}
	s.trouble.clear("admin_auth")
	s.warnOf(credentials)
	s.guard.Change(credentials)
}
