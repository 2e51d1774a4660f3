package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
)

func TestAKeyIsMadeOnceAndKeptPrivate(t *testing.T) {
	cfg := config.Default()
	cfg.DataDir = t.TempDir()
	first, err := identitySecret(cfg, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	second, err := identitySecret(cfg, zerolog.Nop())
	if err != nil || second != first {
		t.Errorf("a restart must find the same key: %v", err)
	}
	file := filepath.Join(cfg.DataDir, keptKey)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	if err := os.WriteFile(file, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := identitySecret(cfg, zerolog.Nop()); err == nil {
		t.Error("a damaged key must not be replaced in silence: it would orphan all profiles")
	}
	cfg.DataDir = ""
	a, _ := identitySecret(cfg, zerolog.Nop())
	b, _ := identitySecret(cfg, zerolog.Nop())
	if a == b {
		t.Error("without a place to keep it the key is random")
	}
}
