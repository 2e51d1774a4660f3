package k8s

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated files anew")

// generated are the files that the program writes, and how: the same command is
// named where people are told to make their own.
var generated = []struct{ file, command string }{
	{"base/policy/policy.rego", "policy default"},
	{"components/gateway/envoy.yaml", "envoy config --for static --config base/wonted.yaml --upstream api:8000"},
}

// TestGenerated finds files that the program would write differently today.
func TestGenerated(t *testing.T) {
	wonted := program(t)
	for _, g := range generated {
		want, err := exec.Command(wonted, strings.Fields(g.command)...).Output()
		if err != nil {
			t.Fatalf("wonted %s: %v", g.command, err)
		}
		if *update {
			if err := os.WriteFile(g.file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(g.file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what wonted %s prints: go generate ./k8s", g.file, g.command)
		}
	}
}

// program is wonted, built for this test.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wonted")
	if out, err := exec.Command("go", "build", "-o", path, "../cmd/wonted").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}
