package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
)

// What cohorts have in common is saved with the profiles and read again; what
// is broken is told of and learned anew.
func TestNormsAreKept(t *testing.T) {
	cfg := config.Default()
	cfg.DataDir = t.TempDir()
	start := func() (*service, string) {
		var log bytes.Buffer
		s, err := newService(cfg, zerolog.New(&log))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.store.Close)
		return s, log.String()
	}
	s, _ := start()
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(cfg.DataDir, normsFile)
	saved, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(saved, s.scorer.Norms()) {
		t.Fatalf("%d bytes, %v", len(saved), err)
	}
	if again, log := start(); !bytes.Equal(again.scorer.Norms(), saved) || strings.Contains(log, "learned anew") {
		t.Errorf("not as they were: %s", log)
	}
	if err := os.WriteFile(file, saved[:1000], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, log := start(); !strings.Contains(log, "learned anew") {
		t.Errorf("a torn file is not told of: %s", log)
	}
}
