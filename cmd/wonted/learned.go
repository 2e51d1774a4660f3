package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wonted-project/wonted/policy/quarantine"
	"github.com/wonted-project/wonted/scoring/profile"
)

// Beside the snapshots of profiles data_dir holds what was learned of all, a file
// each: routes, calibration, and this.

// normsFile is in data_dir: what the members of a cohort have in common.
const normsFile = "norms"

// load takes up what was saved in data_dir, if there is a file of that name. One
// that does not hold what it should is set aside, like a snapshot of profiles, and
// wonted goes on without: then says what follows.
func (s *service) load(name, then string, take func([]byte) error) error {
	if s.cfg.DataDir == "" {
		return nil
	}
	file := filepath.Join(s.cfg.DataDir, name)
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	const hint = "make data_dir readable and writable for this user, or move the file away to learn anew"
	if err != nil {
		return advise(fmt.Errorf("read what was learned: %w", err), hint)
	}
	if err = take(b); err == nil {
		return nil
	}
	reason := "foreign"
	if bad, ok := err.(interface{ Reason() string }); ok {
		reason = bad.Reason()
	}
	renamed, aside := profile.SetAside(file, reason)
	if aside != nil {
		return advise(fmt.Errorf("%s cannot be used (%w), nor set aside: %w", file, err, aside), hint)
	}
	s.log.Warn().Str("data_dir", s.cfg.DataDir).Msgf("%s was set aside as %s: %v; %s", name, renamed, err, then)
	return nil
}

// dropAside removes what was set aside, once somebody was forgotten: it may know
// them. That the names are gone is durable with the next file that is saved.
func (s *service) dropAside() error {
	if !s.forgotten {
		return nil
	}
	entries, err := os.ReadDir(s.cfg.DataDir)
	for _, e := range entries {
		name, _, aside := strings.Cut(e.Name(), ".bad-")
		if aside && (name == routesFile || name == calibrationFile || name == normsFile || name == exceptionsFile || name == quarantine.StandingFile || name == quarantine.File || name == rulesFile) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.cfg.DataDir, e.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("remove what was set aside: %w", err)
	}
	s.forgotten = false
	return nil
}

// saveLearned saves all of it. What fails does not keep the others from being
// saved.
func (s *service) saveLearned() error {
	save := func(name string, content []byte) error {
		return profile.ReplaceFile(filepath.Join(s.cfg.DataDir, name), content)
	}
	return errors.Join(
		save(routesFile, s.routes.Save()),
		save(calibrationFile, s.peers.Encode(s.peersMeta())),
		save(normsFile, s.scorer.Norms()),
		s.saveExceptions(),
		save(quarantine.StandingFile, s.blocks.EncodeStanding(s.key.ID(), time.Now())),
		save(rulesFile, s.gate.EncodeRules()),
	)
}
