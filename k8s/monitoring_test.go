package k8s

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// rule is one of components/monitoring/alerts.yaml.
type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// ruleGroups are in the form of the operator's resource and of Prometheus' own
// files alike.
type ruleGroups struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	} `yaml:"groups"`
}

func alerts(t *testing.T) (all []rule) {
	t.Helper()
	text, err := os.ReadFile("components/monitoring/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var resource struct {
		Spec ruleGroups `yaml:"spec"`
	}
	if err := yaml.Unmarshal(text, &resource); err != nil {
		t.Fatal(err)
	}
	for _, g := range resource.Spec.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("no alerts")
	}
	return all
}

// panel is one of components/monitoring/wonted.json.
type panel struct {
	ID      int
	Title   string
	Targets []struct{ Expr string }
}

func panels(t *testing.T) []panel {
	t.Helper()
	text, err := os.ReadFile("components/monitoring/wonted.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct{ Panels []panel }
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	if len(dashboard.Panels) == 0 {
		t.Fatal("no panels")
	}
	return dashboard.Panels
}

var (
	metricOf   = regexp.MustCompile(`\b(?:wonted|process)_[a-z_]+`)
	selectorOf = regexp.MustCompile(`\b((?:wonted|process)_[a-z_]+)\{([^}]*)\}`)
	matcherOf  = regexp.MustCompile(`([a-z_]+)\s*(=~|=|!=|!~)\s*"([^"]*)"`)
	sampleOf   = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? `)
)

// ofPrometheus are labels that a scrape adds.
var ofPrometheus = map[string]bool{"namespace": true, "pod": true, "container": true, "job": true}

// TestQueriesNameWhatIsExported holds every alert and every panel against what a
// wonted that runs exports: names, labels, and those values that are spelt out.
func TestQueriesNameWhatIsExported(t *testing.T) {
	known := exported(t)
	check := func(where, expr string) {
		for _, name := range metricOf.FindAllString(expr, -1) {
			if known[name] == nil {
				t.Errorf("%s: there is no metric %s", where, name)
			}
		}
		for _, s := range selectorOf.FindAllStringSubmatch(expr, -1) {
			for _, m := range matcherOf.FindAllStringSubmatch(s[2], -1) {
				label, operator, value := m[1], m[2], m[3]
				if ofPrometheus[label] {
					continue
				}
				values := known[s[1]][label]
				if values == nil {
					t.Errorf("%s: %s has no label %s", where, s[1], label)
				} else if operator == "=" && !values[value] {
					t.Errorf("%s: %s has no %s=%q", where, s[1], label, value)
				}
			}
		}
	}
	queries := 0
	for _, a := range alerts(t) {
		if metricOf.FindString(a.Expr) != "" || strings.HasPrefix(a.Expr, "up{") {
			queries++
		}
		check(a.Alert, a.Expr)
		for _, name := range []string{"summary", "description", "runbook"} {
			if a.Annotations[name] == "" {
				t.Errorf("%s has no %s", a.Alert, name)
			}
			check(a.Alert, a.Annotations[name])
		}
		if a.Labels["severity"] == "" {
			t.Errorf("%s has no severity", a.Alert)
		}
	}
	ids := map[int]bool{}
	for _, p := range panels(t) {
		if ids[p.ID] || len(p.Targets) == 0 {
			t.Errorf("panel %q: its id %d is taken, or it shows nothing", p.Title, p.ID)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			if metricOf.FindString(target.Expr) == "" {
				t.Errorf("panel %q asks for no metric: %s", p.Title, target.Expr)
			}
			queries++
			check(p.Title, target.Expr)
		}
	}
	t.Logf("%d queries of %d metrics", queries, len(known))
}

// exported are the metrics of a wonted that has just started, with the values of
// their labels.
func exported(t *testing.T) map[string]map[string]map[string]bool {
	t.Helper()
	address := addresses(t, 1)[0]
	dir, err := os.MkdirTemp("", "w") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := filepath.Join(dir, "wonted.yaml")
	place(t, config, fmt.Sprintf("listen: unix://%s/s\nadmin: \"\"\nmetrics: %s\ndata_dir: %s\n", dir, address, dir))
	wonted := run(t, envoytest.Build(t), "serve", "--config", config)
	page := answers(t, "http://"+address+"/metrics", http.StatusOK)
	ends(t, wonted)
	known := map[string]map[string]map[string]bool{}
	for _, m := range sampleOf.FindAllStringSubmatch(page, -1) {
		name := m[1]
		if known[name] == nil {
			known[name] = map[string]map[string]bool{}
		}
		for _, label := range matcherOf.FindAllStringSubmatch(m[2], -1) {
			key := label[1]
			if known[name][key] == nil {
				known[name][key] = map[string]bool{}
			}
			known[name][key][label[3]] = true
		}
	}
	return known
}
