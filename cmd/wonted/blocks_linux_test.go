package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// blockingDir is the environment variable that makes of this test the process that
// is killed, whose data_dir it names.
const blockingDir = "WONTED_TEST_BLOCK_INTO"

// Killed at any moment, while it writes the journal anew as well, wonted keeps every
// quarantine that a verdict has left on: fifty times in a row, on one data_dir.
func TestKilledWhileBlocking(t *testing.T) {
	if dir := os.Getenv(blockingDir); dir != "" {
		s := blocking(t, dir)
		begun := len(s.blocks.List(time.Now()))
		for i := begun; ; i++ {
			c := &policy.Case{}
			name := fmt.Sprintf("caller-%d", i)
			c.Exchange.Time = time.Now()
			c.Exchange.Method, c.Exchange.Path = []byte("GET"), []byte("/")
			c.Exchange.Entities[profile.KindCaller] = scoring.Identity{
				Kind: profile.KindCaller, Key: s.resolver.Load().Key(profile.KindCaller, []byte(name)), Name: []byte(name), Rule: "header x-api-key",
			}
			s.gate.Open(c)
			fmt.Println(blockingDir, name) // the verdict has left
			s.gate.Close(c, scoring.Answered, c.Exchange.Time)
			if i%3 == 0 {
				s.blocks.Forget(profile.Key{Lo: 1}) // so that the journal is written anew
			}
			s.blocks.Upkeep(time.Now())
		}
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "policy"), 0o700); err != nil {
		t.Fatal(err)
	}
	rule := "package wonted.policy\nquarantine contains {\"entity\": \"caller\", \"ttl\": \"24h\"}"
	if err := os.WriteFile(filepath.Join(dir, "policy", "p.rego"), []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	promised := map[string]bool{}
	for round := range 50 {
		killWhileBlocking(t, dir, 1+round*7%40, promised)
		held := map[string]bool{}
		for _, b := range blocking(t, dir).blocks.List(time.Now()) {
			held[b.Name] = true
		}
		for name := range promised {
			if !held[name] {
				t.Fatalf("round %d: %s is free, of %d", round, name, len(promised))
			}
		}
	}
	if len(promised) < 50 {
		t.Fatalf("only %d were ever blocked", len(promised))
	}
	t.Logf("%d quarantines, none lost", len(promised))
}

// blocking is a service in enforce mode on a data_dir that holds its policy, too.
func blocking(t *testing.T, dir string) *service {
	t.Helper()
	cfg := config.Default()
	cfg.Mode, cfg.DataDir, cfg.Policy.Path = policy.Enforce, dir, filepath.Join(dir, "policy")
	cfg.Profile.Memory = 8 << 20
	s, err := newService(cfg, zerolog.Nop())
	if err == nil {
		err = s.loadQuarantine(false)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	return s
}

// killWhileBlocking runs the process until it has promised n, and kills it.
func killWhileBlocking(t *testing.T, dir string, n int, promised map[string]bool) {
	t.Helper()
	cmd := exec.Command(must(os.Executable()), "-test.run=^TestKilledWhileBlocking$")
	cmd.Env = append(os.Environ(), blockingDir+"="+dir)
	out := must(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), blockingDir+" "); ok {
			promised[name] = true
			if n--; n == 0 {
				cmd.Process.Kill()
			}
		}
	}
	cmd.Wait()
	if n > 0 {
		t.Fatalf("it ended by itself, %d short", n)
	}
}
