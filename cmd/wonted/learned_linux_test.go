package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// On a full disk a save says so and leaves the file as it was, and all the others
// are saved; when there is room again it is as if nothing had been. /dev/full is
// the disk.
func TestLearnedOnAFullDisk(t *testing.T) {
	for _, name := range learnedFiles {
		dir := t.TempDir()
		s, _ := startIn(t, dir)
		before := saved(t, s)
		tmp := filepath.Join(dir, name+".tmp")
		if err := os.Symlink("/dev/full", tmp); err != nil {
			t.Fatal(err)
		}
		learnRoute(s, 0)
		err := s.save()
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "save "+filepath.Join(dir, name)+": ") || !strings.Contains(err.Error(), "the one before, if any, stays") {
			t.Errorf("%s: %v", name, err)
		}
		if warnings := strings.Join(s.trouble.list(), "\n"); !strings.Contains(warnings, "no space left on device") {
			t.Errorf("readyz says %q", warnings)
		}
		if got := must(os.ReadFile(filepath.Join(dir, name))); string(got) != string(before[name]) {
			t.Errorf("%s is not what it was", name)
		}
		if again, log := startIn(t, dir); strings.Contains(log, "set aside") || (again.routes.Len() == 1) != (name != routesFile) {
			t.Errorf("%s: %s", name, log)
		}
		saved(t, s)
		if _, err := os.Lstat(tmp); !errors.Is(err, fs.ErrNotExist) || len(s.trouble.list()) > 0 {
			t.Errorf("left: %v, %q", err, s.trouble.list())
		}
		if again, _ := startIn(t, dir); again.routes.Len() != 1 {
			t.Errorf("%s was not saved when there was room again", name)
		}
	}
}

// killedDir is the environment variable that makes of this test the process that
// is killed, saving into the directory it names.
const killedDir = "WONTED_TEST_SAVE_INTO"

// Killed in the middle of saving any of its files, wonted finds the old one or
// the new one, and nothing to set aside.
func TestKilledWhileSaving(t *testing.T) {
	if dir := os.Getenv(killedDir); dir != "" {
		s, _ := startIn(t, dir)
		for i := s.routes.Len(); ; i++ {
			learnRoute(s, i)
			saved(t, s)
			fmt.Println(killedDir, i+1) // so many routes are known, whatever comes
		}
	}
	dir := t.TempDir()
	known, cut := 0, 0
	for _, name := range append([]string{"CURRENT"}, learnedFiles...) {
		for range 3 {
			tmp := filepath.Join(dir, name+".tmp")
			known = killWhenThere(t, dir, tmp)
			if _, err := os.Lstat(tmp); err == nil {
				cut++
			}
			s, log := startIn(t, dir)
			if strings.Contains(log, "set aside") || !strings.Contains(log, "Loaded 0 profiles from snapshot-") || !strings.Contains(log, "loaded the calibration") {
				t.Fatalf("killed while saving %s: %s", name, log)
			}
			if got := s.routes.Len(); got != known && got != known+1 {
				t.Fatalf("killed while saving %s: %d routes, and %d had been saved", name, got, known)
			}
			if norms, err := os.ReadFile(filepath.Join(dir, normsFile)); err != nil || len(norms) == 0 {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d of %d were killed before they had renamed the file; %d routes", cut, 3*(1+len(learnedFiles)), known)
}

// killWhenThere runs the process that saves until it has saved once and file is
// there, and kills it. It returns how many routes were surely saved.
func killWhenThere(t *testing.T, dir, file string) (known int) {
	t.Helper()
	cmd := exec.Command(must(os.Executable()), "-test.run=^TestKilledWhileSaving$")
	cmd.Env = append(os.Environ(), killedDir+"="+dir)
	out := must(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	saw := func() bool { _, err := fmt.Sscanf(lines.Text(), killedDir+" %d", &known); return err == nil }
	for lines.Scan() && !saw() {
	}
	for deadline := time.Now().Add(patience); ; {
		if _, err := os.Lstat(file); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("%s never came", file)
			break
		}
	}
	cmd.Process.Kill()
	for lines.Scan() {
		saw()
	}
	cmd.Wait()
	if known == 0 {
		t.Fatal("nothing was ever saved")
	}
	return known
}
