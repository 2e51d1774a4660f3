//go:build kube

package k8s

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

const chart = "helm/wonted"

// helm runs it and answers with what it said.
func helm(args ...string) (string, error) {
	out, err := exec.Command(filepath.Join(tools, "bin", "helm"), args...).CombinedOutput()
	return string(out), err
}

// rendered is the chart with settings, as helm install would apply it.
func rendered(t *testing.T, where string, settings ...string) []object {
	t.Helper()
	args := []string{"template", "wonted", chart, "--namespace", where, "--kube-version", "1.36.0"}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	text, err := helm(args...)
	if err != nil {
		t.Fatalf("helm %s: %v\n%s", strings.Join(args, " "), err, text)
	}
	all, err := split([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// ways are how Envoy gets there, each with the example that has the same outcome.
var ways = map[string]struct {
	settings []string
	example  string
}{
	"gateway":       {nil, "gateway"},
	"monitored":     {[]string{"data.enabled=true", "monitoring.enabled=true"}, "monitored"},
	"shared":        {[]string{"way=shared"}, "shared"},
	"istio":         {[]string{"way=istio"}, "istio"},
	"envoy-gateway": {[]string{"way=envoy-gateway"}, "envoy-gateway"},
}

// TestTheChartIsAccepted lints it, and applies what it renders for each way in.
func TestTheChartIsAccepted(t *testing.T) {
	if out, err := helm("lint", "--strict", chart); err != nil {
		t.Errorf("helm lint: %v\n%s", err, out)
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			where := namespace(t, "helm-"+name)
			namespace(t, "envoy-gateway-system")
			all := rendered(t, where, way.settings...)
			for _, o := range all {
				if err := api.apply(o, where, false); err != nil {
					t.Error(err)
				}
				if err := admitted(o, where); err != nil {
					t.Errorf("a pod of %s: %v", o, err)
				}
			}
			t.Logf("%d objects", len(all))
		})
	}
}

// TestTheChartSaysWhatTheExamplesSay compares what it renders with what kustomize
// builds: what must be there, and that nothing in it is another.
func TestTheChartSaysWhatTheExamplesSay(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			chart := map[string]map[string]any{}
			for _, o := range rendered(t, "default", way.settings...) {
				chart[o.String()] = essence(t, o)
			}
			compared := 0
			for _, o := range build(t, "examples/"+way.example) {
				if yours := o.Metadata.Name == "shop" || o.Kind == "Gateway"; yours {
					continue
				}
				o.Metadata.Name = hashed.ReplaceAllString(o.Metadata.Name, "")
				got, ok := chart[o.String()]
				if !ok {
					t.Errorf("the chart has no %s", o)
					continue
				}
				if d := cmp.Diff(essence(t, o), got); d != "" {
					t.Errorf("%s: - kustomize, + helm\n%s", o, d)
				}
				compared++
			}
			// What the chart adds: the Secret, which kustomize leaves to people.
			if len(chart) != compared+1 || chart["Secret/wonted-identity"] == nil {
				t.Errorf("%d objects are the same, of %d in the chart", compared, len(chart))
			}
		})
	}
}

// hashed is what kustomize appends to the name of a ConfigMap.
var hashed = regexp.MustCompile(`-[0-9a-z]{10}$`)

// essence is what an object does, without its labels and what follows from the
// content of another.
func essence(t *testing.T, o object) map[string]any {
	t.Helper()
	var all map[string]any
	text := regexp.MustCompile(`name: (wonted-gateway)-[0-9a-z]{10}\b`).ReplaceAll(o.text, []byte("name: $1"))
	if err := yaml.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	delete(all, "metadata")
	if data, ok := all["data"].(map[string]any); ok {
		for file, text := range data {
			data[file] = content(t, file, text.(string))
		}
	}
	if spec, ok := all["spec"].(map[string]any); ok {
		if strategy, ok := spec["strategy"].(map[string]any); ok && strategy["rollingUpdate"] == nil {
			delete(strategy, "rollingUpdate")
		}
		if template, ok := spec["template"].(map[string]any); ok {
			delete(template["metadata"].(map[string]any), "annotations")
			volumes, _ := template["spec"].(map[string]any)["volumes"].([]any)
			slices.SortFunc(volumes, func(a, b any) int {
				return strings.Compare(a.(map[string]any)["name"].(string), b.(map[string]any)["name"].(string))
			})
		}
	}
	return all
}

// content is what a file of a ConfigMap says: comments and order do not count.
func content(t *testing.T, file, text string) any {
	t.Helper()
	if !strings.HasSuffix(file, ".yaml") {
		return strings.TrimSpace(text)
	}
	var all any
	if err := yaml.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return all
}

// TestTheChartRefuses what cannot work, before anything is applied.
func TestTheChartRefuses(t *testing.T) {
	f := func(complaint string, settings ...string) {
		t.Helper()
		args := []string{"template", "wonted", chart}
		for _, s := range settings {
			args = append(args, "--set", s)
		}
		if out, err := helm(args...); err == nil || !strings.Contains(out, complaint) {
			t.Errorf("%v: got %v and\n%s\nwant a complaint with %q", settings, err, out, complaint)
		}
	}
	f("'/way': value must be one of", "way=sidecar")
	f("'gatway' not allowed", "gatway.replicas=3")
	f("'/upstream/port'", "upstream.port=0")
	f("'/config/mode'", "config.mode=enforced")
	f("'/gateway/replicas'", "gateway.replicas=two")
	f("invalid propertyName 'shop'", "policy.shop=deny")
	f("render one with wonted envoy config", "config.fail=closed")
	f("render one with wonted envoy config", "config.trusted_proxies=1")
}
