package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Ctrl-C in the middle of the demo, with two Envoys and a wonted running:
// nothing of it is left, no process and no file. It needs a real Envoy, which
// `make test` fetches.
func TestDemoInterruptedLeavesNothing(t *testing.T) {
	// Under the name of the program the test binary is the program. It starts
	// itself again by its path, so that a symbolic link would not do.
	program := filepath.Join(t.TempDir(), "wonted")
	if err := os.WriteFile(program, must(os.ReadFile(must(os.Executable()))), 0o700); err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	cmd := exec.CommandContext(t.Context(), program, "demo")
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out := must(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if !reads(bufio.NewScanner(out), "mode: enforce") {
		t.Fatalf("the demo did not come to its third scene: %v, %s", cmd.Wait(), stderr.String())
	}
	children := childrenOf(t, cmd.Process.Pid)
	if len(children) < 2 {
		t.Errorf("only %d children in the middle of the demo", len(children))
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for rest := bufio.NewScanner(out); reads(rest, "NOT AS TOLD"); { // to its end
		t.Errorf("an interruption is told as the story's failure: %s", rest.Text())
	}
	if err := cmd.Wait(); err == nil {
		t.Error("an interrupted demo exits with 0")
	}
	if !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("it says %q", stderr.String())
	}
	for _, pid := range children {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("process %d is still there", pid)
		}
	}
	if left := must(os.ReadDir(temp)); len(left) > 0 {
		t.Errorf("files are left: %v", left)
	}
}

// reads reads lines until one holds text.
func reads(lines *bufio.Scanner, text string) bool {
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return true
		}
	}
	return false
}

// childrenOf lists the processes that pid has started. Each thread lists its own.
func childrenOf(t *testing.T, pid int) (children []int) {
	t.Helper()
	lists := must(filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children"))
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && len(children) < 3; {
		children = nil
		for _, list := range lists {
			for _, child := range strings.Fields(string(must(os.ReadFile(list)))) {
				children = append(children, must(strconv.Atoi(child)))
			}
		}
	}
	return children
}
