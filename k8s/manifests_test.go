//go:build kube

package k8s

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// build is kubectl kustomize DIR.
func build(t *testing.T, dir string) []object {
	t.Helper()
	var complaint bytes.Buffer
	cmd := exec.Command(filepath.Join(tools, "bin", "kustomize"), "build", dir)
	cmd.Stderr = &complaint
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("kustomize build %s: %v\n%s", dir, err, &complaint)
	}
	if complaint.Len() > 0 { // deprecations
		t.Errorf("kustomize build %s: %s", dir, &complaint)
	}
	all, err := split(text)
	if err != nil {
		t.Fatalf("kustomize build %s: %v", dir, err)
	}
	if len(all) == 0 {
		t.Fatalf("%s builds nothing", dir)
	}
	return all
}

// namespace makes one in which pods have to meet Kubernetes' strictest standard.
func namespace(t *testing.T, name string) string {
	t.Helper()
	all, err := split([]byte(`
apiVersion: v1
kind: Namespace
metadata:
  name: ` + name + `
  labels: {pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/enforce-version: latest}
`))
	if err == nil {
		err = api.apply(all[0], "", false)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestManifestsAreAccepted applies every example, dry and for real, and runs its
// pods past the admission of Kubernetes' standard "restricted".
func TestManifestsAreAccepted(t *testing.T) {
	dirs, err := filepath.Glob("examples/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			all := build(t, dir)
			where := namespace(t, filepath.Base(dir))
			namespace(t, "envoy-gateway-system")
			for _, dry := range []bool{true, false} {
				for _, o := range all {
					if err := api.apply(o, where, dry); err != nil {
						t.Errorf("dry run %v: %v", dry, err)
					}
				}
			}
			for _, o := range all {
				if err := admitted(o, where); err != nil {
					t.Errorf("a pod of %s: %v", o, err)
				}
			}
			t.Logf("%d objects", len(all))
		})
	}
}

// podOf makes a pod out of the template of a workload, as a controller would; it
// has no text where o is none.
func podOf(o object) (p object, err error) {
	var workload struct {
		Spec struct {
			Template map[string]any `yaml:"template"`
			Claims   []struct {
				Metadata struct {
					Name string `yaml:"name"`
				} `yaml:"metadata"`
			} `yaml:"volumeClaimTemplates"`
		} `yaml:"spec"`
	}
	if err := yaml.Unmarshal(o.text, &workload); err != nil || workload.Spec.Template == nil {
		return p, err
	}
	pod := workload.Spec.Template
	spec := pod["spec"].(map[string]any)
	for _, c := range workload.Spec.Claims { // a controller's work, and there is none
		volumes, _ := spec["volumes"].([]any)
		spec["volumes"] = append(volumes, map[string]any{"name": c.Metadata.Name, "emptyDir": map[string]any{}})
	}
	pod["apiVersion"], pod["kind"] = "v1", "Pod"
	pod["metadata"].(map[string]any)["name"] = o.Metadata.Name
	p = object{APIVersion: "v1", Kind: "Pod"}
	p.Metadata.Name = o.Metadata.Name
	p.text, err = json.Marshal(pod)
	return p, err
}

// admitted makes a pod of a workload, dry: the standards of a namespace are held
// against pods, and for a workload only warned of.
func admitted(o object, namespace string) error {
	p, err := podOf(o)
	if err != nil || p.text == nil {
		return err
	}
	return api.apply(p, namespace, true)
}

// TestTheInjectionTemplateIsAPod runs what Istio would add past the same
// admission, with a container of its own.
func TestTheInjectionTemplateIsAPod(t *testing.T) {
	text, err := os.ReadFile("components/istio/injection.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values struct {
		Injector struct {
			Templates map[string]string `yaml:"templates"`
		} `yaml:"sidecarInjectorWebhook"`
	}
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	var pod map[string]any
	if err := yaml.Unmarshal([]byte(values.Injector.Templates["wonted"]), &pod); err != nil {
		t.Fatal(err)
	}
	spec := pod["spec"].(map[string]any)
	spec["containers"] = []any{map[string]any{"name": "shop", "image": "shop:1",
		"securityContext": spec["initContainers"].([]any)[0].(map[string]any)["securityContext"]}}
	o := object{Kind: "Deployment"}
	o.Metadata.Name = "injected"
	if o.text, err = json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{}, "spec": spec}}}); err != nil {
		t.Fatal(err)
	}
	if err := admitted(o, namespace(t, "injection")); err != nil {
		t.Error(err)
	}
}

// TestMistakesAreRefused breaks what was accepted, so that the server is known
// to look.
func TestMistakesAreRefused(t *testing.T) {
	where := namespace(t, "mistakes")
	var all []object
	for _, dir := range []string{"examples/monitored", "examples/istio", "examples/envoy-gateway"} {
		all = append(all, build(t, dir)...)
	}
	f := func(about, old, new, complaint string) {
		t.Helper()
		for _, o := range all {
			if o.String() != about {
				continue
			}
			broken := o
			broken.text = bytes.Replace(o.text, []byte(old), []byte(new), 1)
			if bytes.Equal(broken.text, o.text) {
				t.Errorf("%s has no %q to break", o, old)
			}
			if err := api.apply(broken, where, true); err == nil || !strings.Contains(err.Error(), complaint) {
				t.Errorf("%s with %q: got %v, want a complaint with %q", o, new, err, complaint)
			}
			return
		}
		t.Errorf("there is no %s", about)
	}
	f("Deployment/wonted-gateway", "restartPolicy: Always", "restartPolicy: Allways", `initContainers[0].restartPolicy: Unsupported value: "Allways"`)
	f("Deployment/wonted-gateway", "startupProbe:", "startProbe:", `startProbe: field not declared in schema`)
	f("Deployment/wonted-gateway", "name: wonted-run", "name: wonted-ran", `volumeMounts[1].name: Not found: "wonted-ran"`)
	f("Service/wonted-gateway", "type: LoadBalancer", "type: Balancer", `spec.type: Unsupported value: "Balancer"`)
	f("PodDisruptionBudget/wonted-gateway", "maxUnavailable: 1", "maxUnavailable: some", "maxUnavailable")
	f("PodMonitor/wonted", "interval: 15s", "interval: often", "podMetricsEndpoints[0].interval")
	f("PrometheusRule/wonted", "expr: ", "expression: ", ".rules[0].expression: field not declared in schema")
	f("EnvoyFilter/wonted", "applyTo: HTTP_FILTER", "applyTo: HTTP_FILTERS", "applyTo: Unsupported value: \"HTTP_FILTERS\"")
	f("EnvoyExtensionPolicy/wonted", "messageTimeout:", "messageTimeOut:", "messageTimeOut: field not declared in schema")
	f("Backend/wonted", "path: /run", "file: /run", "unix.file: field not declared in schema")
	f("EnvoyProxy/wonted", "startupProbe:", "startProbe:", "startProbe: field not declared in schema")
	f("Gateway/api", "kind: EnvoyProxy", "kind: 0", "parametersRef.kind")
}
