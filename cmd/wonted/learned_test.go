package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
)

// learnedFiles are all that lie in data_dir beside snapshots and key.
var learnedFiles = []string{routesFile, calibrationFile, normsFile}

// startIn makes a service on a data_dir, and returns what it logs.
func startIn(t *testing.T, dir string) (*service, string) {
	t.Helper()
	s, log, err := tryIn(t, dir)
	if err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	return s, log
}

func tryIn(t *testing.T, dir string) (*service, string, error) {
	t.Helper()
	cfg := config.Default()
	cfg.DataDir = dir
	var log bytes.Buffer
	s, err := newService(cfg, zerolog.New(&log))
	if err == nil {
		t.Cleanup(s.store.Close)
	}
	return s, log.String(), err
}

// saved is what saving s has written.
func saved(t *testing.T, s *service) map[string][]byte {
	t.Helper()
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, name := range learnedFiles {
		all[name] = must(os.ReadFile(filepath.Join(s.cfg.DataDir, name)))
	}
	return all
}

// learnRoute makes s know one route more.
func learnRoute(s *service, i int) {
	s.routes.Learn(s.routes.Match([]byte("GET"), fmt.Appendf(nil, "/v1/of/%c%c/things", 'a'+i%26, 'a'+i/26)))
}

// What was learned of all is saved with the profiles and read again.
func TestLearnedIsKept(t *testing.T) {
	dir := t.TempDir()
	s, _ := startIn(t, dir)
	learnRoute(s, 0)
	files := saved(t, s)
	again, log := startIn(t, dir)
	if strings.Contains(log, "set aside") {
		t.Error(log)
	}
	if !bytes.Equal(again.scorer.Norms(), files[normsFile]) || !bytes.Equal(again.routes.Save(), files[routesFile]) || again.routes.Len() != 1 {
		t.Error("not as they were")
	}
}

// A file that is not what it should be is set aside, whichever it is and whatever
// is wrong with it, and wonted goes on without: as with snapshots. One that cannot
// be read is no damaged one: the operator decides.
func TestLearnedIsSetAside(t *testing.T) {
	any, _ := startIn(t, t.TempDir())
	whole := saved(t, any)
	f := func(name, reason string, damage func([]byte) []byte) {
		t.Helper()
		dir := t.TempDir()
		s, _ := startIn(t, dir)
		saved(t, s)
		damaged := damage(bytes.Clone(whole[name]))
		if err := os.WriteFile(filepath.Join(dir, name), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if name == calibrationFile && reason == "key" {
			if err := os.Remove(filepath.Join(dir, keptKey)); err != nil {
				t.Fatal(err)
			}
		}
		s, log := startIn(t, dir)
		aside := name + ".bad-" + reason
		if !strings.Contains(log, `"`+name+" was set aside as "+aside+": ") {
			t.Fatalf("%s: %s", aside, log)
		}
		if got := must(os.ReadFile(filepath.Join(dir, aside))); !bytes.Equal(got, damaged) {
			t.Errorf("%s is not what was set aside", aside)
		}
		saved(t, s)
		if _, log := startIn(t, dir); strings.Contains(log, "set aside") {
			t.Errorf("after %s: %s", aside, log)
		}
	}
	for _, name := range learnedFiles {
		f(name, "torn", func(b []byte) []byte { return b[:len(b)-3] })
		f(name, "torn", func([]byte) []byte { return nil })
		f(name, "foreign", func([]byte) []byte { return []byte("PK\x03\x04 a zip of somebody's\n") })
	}
	f(calibrationFile, "key", func(b []byte) []byte { return b })
	f(calibrationFile, "version", func(b []byte) []byte { b[8] = 9; return b })
	f(normsFile, "version", func(b []byte) []byte { b[8] = 9; return b })

	for _, name := range learnedFiles {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil { // reading it fails with EISDIR
			t.Fatal(err)
		}
		_, _, err := tryIn(t, dir)
		var told bytes.Buffer
		if explain(&told, err); err == nil || !strings.Contains(told.String(), filepath.Join(dir, name)) || !strings.Contains(told.String(), "hint: ") {
			t.Errorf("%s: %v", name, err)
		}
		if names := must(os.ReadDir(dir)); strings.Contains(fmt.Sprint(names), ".bad-") {
			t.Errorf("%s: %v", name, names)
		}
	}
}
