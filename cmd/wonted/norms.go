package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// normsFile lies in data_dir beside the snapshots: what cohorts have in common.
const normsFile = "norms"

// loadNorms takes up what was saved. What cannot be read is learned anew, which
// takes some days and costs no protection.
func (s *service) loadNorms() {
	if s.cfg.DataDir == "" {
		return
	}
	b, err := os.ReadFile(filepath.Join(s.cfg.DataDir, normsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = s.scorer.SetNorms(b)
	}
	if err != nil {
		s.log.Warn().Err(err).Msg("what cohorts have in common is learned anew")
	}
}

// saveNorms replaces the file as a whole.
func (s *service) saveNorms() error {
	path := filepath.Join(s.cfg.DataDir, normsFile)
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(s.scorer.Norms())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}
