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

// printed are the files that the program writes, and how: the same command is
// named where people are told to make their own.
var printed = []struct{ file, command string }{
	{"base/policy/policy.rego", "policy default"},
	{"components/gateway/envoy.yaml", "envoy config --for static --config base/wonted.yaml --upstream api:8000"},
	{"components/shared/envoy.yaml", "envoy config --for static --config base/wonted.yaml --depth headers --affinity x-api-key --wonted wonted:9000 --upstream api:8000"},
	{"components/istio/envoyfilter.yaml", "envoy config --for istio --config base/wonted.yaml --selector wonted=sidecar"},
	{"components/envoy-gateway/policy.yaml", "envoy config --for envoy-gateway --config base/wonted.yaml --gateway api --listener http"},
}

// TestPrinted finds files that the program would write differently today.
func TestPrinted(t *testing.T) {
	wonted := program(t)
	for _, p := range printed {
		want, err := exec.Command(wonted, strings.Fields(p.command)...).Output()
		if err != nil {
			t.Fatalf("wonted %s: %v", p.command, err)
		}
		generated(t, p.file, want)
	}
}

// podFile is where what runs wonted in a pod is written, once.
const podFile = "components/sidecar/pod.yaml"

// TestCopiesOfThePod finds other forms of the same pod that differ from it.
func TestCopiesOfThePod(t *testing.T) {
	text, err := os.ReadFile(podFile)
	if err != nil {
		t.Fatal(err)
	}
	_, spec, found := strings.Cut(string(text), "\n    spec:\n")
	if !found {
		t.Fatalf("%s has no spec", podFile)
	}
	initContainers := section(t, spec, "initContainers")
	volumes := section(t, spec, "volumes")
	security := section(t, spec, "securityContext")
	const from = "# Made of " + podFile + " by go generate ./k8s: change that.\n"

	generated(t, "components/istio/injection.yaml", []byte(from+`# Values for istiod's chart. A pod that is to have wonted carries the label
# wonted: sidecar and the annotations of pod.yaml, and beside them
#   inject.istio.io/templates: sidecar,wonted
sidecarInjectorWebhook:
  templates:
    wonted: |
      spec:
`+indented(spec, 2)))
	generated(t, "components/envoy-gateway/envoyproxy.yaml", []byte(from+`apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata:
  name: wonted
spec:
  provider:
    type: Kubernetes
    kubernetes:
      envoyDeployment:
`+indented(initContainers, 2)+`        container:
          volumeMounts:
          - {name: wonted-run, mountPath: /run/wonted}
        pod:
          labels: {wonted: sidecar}
`+indented(security+volumes, 4)))
}

// section is a key of a pod's spec, with all below it and the comment above.
func section(t *testing.T, spec, key string) string {
	t.Helper()
	var out strings.Builder
	var comment string
	inside := false
	for line := range strings.Lines(spec) {
		switch body := strings.TrimPrefix(line, "      "); {
		case strings.HasPrefix(body, "#") && !inside:
			comment += line
		case strings.HasPrefix(body, key+":"):
			inside = true
			out.WriteString(comment + line)
		case strings.HasPrefix(body, " ") || strings.HasPrefix(body, "- ") || strings.HasPrefix(body, "#"):
			if inside {
				out.WriteString(line)
			}
		default:
			inside, comment = false, ""
		}
	}
	if out.Len() == 0 {
		t.Fatalf("%s has no %s", podFile, key)
	}
	return out.String()
}

// indented moves lines to the right.
func indented(text string, by int) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(strings.Repeat(" ", by) + line)
	}
	return out.String()
}

// generated compares a file with what it should be, or makes it so.
func generated(t *testing.T, file string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what it should be: go generate ./k8s", file)
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
