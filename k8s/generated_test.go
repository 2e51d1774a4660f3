package k8s

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

var update = flag.Bool("update", false, "write the generated files anew")

// printed are the files that the program writes, and how: the same command is
// named where people are told to make their own.
var printed = []struct{ file, command string }{
	{"base/policy/policy.rego", "policy default"},
	{"components/gateway/envoy.yaml", "envoy config --for static --config base/wonted.yaml --upstream api:8000"},
	{"examples/demo/envoy.yaml", "envoy config --for static --config base/wonted.yaml"},
	{"components/shared/envoy.yaml", "envoy config --for static --config base/wonted.yaml --depth headers --affinity x-api-key --wonted wonted:9000 --upstream api:8000"},
	{"components/istio/envoyfilter.yaml", "envoy config --for istio --config base/wonted.yaml --selector wonted=sidecar"},
	{"components/envoy-gateway/policy.yaml", "envoy config --for envoy-gateway --config base/wonted.yaml --gateway api --listener http"},

	// The chart fills in what is meant by these.
	{"helm/wonted/files/policy.rego", "policy default"},
	{"helm/wonted/files/gateway.yaml", "envoy config --for static --config base/wonted.yaml --upstream upstream.invalid:65535"},
	{"helm/wonted/files/shared.yaml", "envoy config --for static --config base/wonted.yaml --depth headers --affinity x-api-key --wonted wonted:9000 --upstream upstream.invalid:65535"},
	{"helm/wonted/files/istio.yaml", "envoy config --for istio --config base/wonted.yaml --selector wonted=sidecar"},
	{"helm/wonted/files/envoy-gateway.yaml", "envoy config --for envoy-gateway --config base/wonted.yaml --gateway gateway-name --listener listener-name --namespace gateway-namespace"},
}

// TestPrinted finds files that the program would write differently today.
func TestPrinted(t *testing.T) {
	wonted := envoytest.Build(t)
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

	value := func(text, written, value string) string {
		t.Helper()
		if strings.Count(text, written) != 1 {
			t.Fatalf("%s does not say %q once", podFile, written)
		}
		return strings.Replace(text, written, value, 1)
	}
	container := indented(initContainers, -6)
	container = value(container, "wonted-project/wonted:latest", `{{ include "wonted.image" . }}`)
	container = value(container, "imagePullPolicy: IfNotPresent", "imagePullPolicy: {{ .Values.image.pullPolicy }}")
	container = value(container, `  resources:
    requests: {cpu: 100m, memory: 160Mi}
    limits: {memory: 256Mi}
`, "  resources: {{- toYaml .Values.resources | nindent 4 }}\n")
	keep := indented(volumes, -6)
	keep = value(keep, "secretName: wonted-identity", `secretName: {{ include "wonted.secret" . }}`)
	keep = value(keep, "  emptyDir: {sizeLimit: 1Gi}\n", `  {{- if .Values.data.enabled | and (eq .Values.way "gateway") }}
  persistentVolumeClaim: {claimName: wonted-data}
  {{- else }}
  emptyDir: {sizeLimit: 1Gi}
  {{- end }}
`)
	define := func(name, text string) string {
		return "{{- define \"wonted." + name + "\" -}}\n" + text + "{{- end }}\n"
	}
	generated(t, "helm/wonted/templates/_pod.tpl", []byte("{{- /*\n"+from+"*/ -}}\n"+
		define("security", indented(security, -6))+define("initContainers", container)+define("volumes", keep)))
	for _, name := range []string{"podmonitor.yaml", "alerts.yaml", "wonted.json"} {
		text, err := os.ReadFile("components/monitoring/" + name)
		if err != nil {
			t.Fatal(err)
		}
		generated(t, "helm/wonted/files/"+name, text)
	}
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

// indented moves lines to the right, or to the left.
func indented(text string, by int) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if by < 0 {
			out.WriteString(line[-by:])
			continue
		}
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
