//go:build kube

package k8s

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestPrometheusTakesTheRules has promtool check every alert and every query of
// the dashboard, and play series that each alert must and must not fire for.
func TestPrometheusTakesTheRules(t *testing.T) {
	var resource struct {
		Spec map[string]any `yaml:"spec"`
	}
	text, err := os.ReadFile("components/monitoring/alerts.yaml")
	if err == nil {
		err = yaml.Unmarshal(text, &resource)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, what any) {
		t.Helper()
		text, err := yaml.Marshal(what)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	promtool := func(args ...string) {
		t.Helper()
		cmd := exec.Command(filepath.Join(tools, "bin", "promtool"), args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	write("alerts.yaml", resource.Spec)
	promtool("check", "rules", "alerts.yaml")

	// Grafana fills in its variables; a recording rule is a query with a name.
	var queries []map[string]string
	for _, p := range panels(t) {
		for _, target := range p.Targets {
			queries = append(queries, map[string]string{
				"record": "panel:query", "expr": strings.NewReplacer("$__rate_interval", "1m", "$namespace", ".*").Replace(target.Expr)})
		}
	}
	write("dashboard.yaml", map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": queries}}})
	promtool("check", "rules", "--lint=none", "dashboard.yaml")

	// What is played is held against labels alone: the words are not repeated there.
	played, err := os.ReadFile("testdata/alerts.yaml")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "test.yaml"), played, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range alerts(t) {
		fires := regexp.MustCompile(`(?m)alertname: ` + a.Alert + `\n +exp_alerts:\n`)
		if !fires.Match(played) {
			t.Errorf("testdata/alerts.yaml has no series for which %s fires", a.Alert)
		}
	}
	for _, group := range resource.Spec["groups"].([]any) {
		for _, r := range group.(map[string]any)["rules"].([]any) {
			delete(r.(map[string]any), "annotations")
		}
	}
	write("alerts.yaml", resource.Spec)
	promtool("test", "rules", "test.yaml")
}
