package rego

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/policy"
)

const denyAll = "package wonted.policy\ndeny contains \"all\"\n"

func TestLoad(t *testing.T) {
	dir := write(t, map[string]string{
		"main.rego":         "package wonted.policy\nimport data.lib.helpers\ndeny contains \"x\" if helpers.get\n",
		"lib/helpers.rego":  "package lib.helpers\nget if { input.request.method == data.methods.blocked[_]; data.sub.on; data.yaml.n == 7 }\n",
		"data.json":         `{"methods": {"blocked": ["GET"]}}`,
		"sub/data.json":     `{"on": true}`,
		"yaml/data.yaml":    "n: 7\n",
		"main_test.rego":    "package wonted.policy\nthis does not even parse",
		"README.md":         "# not policy",
		"..2026/main.rego":  "package wonted.policy\nneither does this",
		".hidden/data.json": `{"methods": 1}`,
	})
	e, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := decide(t, e, at(sample(), policy.PhaseRequest)); d.Action != policy.Deny {
		t.Errorf("action %v: rules and data of all files do not act together", d.Action)
	}
	if len(e.Warnings()) > 0 {
		t.Errorf("warnings %v", e.Warnings())
	}
}

func TestLoadErrors(t *testing.T) {
	f := func(files map[string]string, want ...string) {
		t.Helper()
		dir := write(t, files)
		_, err := Load(dir)
		if err == nil {
			t.Errorf("%v loads", files)
			return
		}
		for _, w := range append(want, "load policy "+dir) {
			if !strings.Contains(err.Error(), strings.ReplaceAll(w, "DIR", dir)) {
				t.Errorf("%v:\nerror %q lacks %q", files, err, w)
			}
		}
	}
	type m = map[string]string
	f(m{}, "no .rego file in it", "package wonted.policy")
	f(m{"data.json": "{}", "a_test.rego": denyAll}, "no .rego file in it")
	f(m{"a.rego": "package other\nx := 1"}, "no rules in package wonted.policy", "found: other")
	f(m{"a.rego": "package wonted.policy\ndeny contains x"}, "DIR/a.rego:2:")
	f(m{"a.rego": "package wonted.policy\ndeny {"}, "DIR/a.rego:2:")
	f(m{"a.rego": denyAll, "data.json": `{"a": `}, "DIR/data.json")
	f(m{"a.rego": denyAll, "a/data.yaml": "x: [1"}, "DIR/a/data.yaml")
	f(m{"a.rego": denyAll, "wonted/policy/data.json": `{"deny": 1}`}, "conflicting")
	f(m{"a.rego": denyAll, "b.rego": "package wonted.policy\nthrottle := 1"}, "DIR/b.rego:2:1: throttle must be a set")

	missing := filepath.Join(t.TempDir(), "nowhere")
	if _, err := Load(missing); err == nil || !strings.Contains(err.Error(), missing+": no such directory: wonted policy init lays one out; or leave policy.path empty") {
		t.Errorf("missing directory: %v", err)
	}
	file := filepath.Join(write(t, m{"a.rego": denyAll}), "a.rego")
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "name the directory") {
		t.Errorf("a file: %v", err)
	}
}

func TestRevisionIsOfTheContent(t *testing.T) {
	load := func(files map[string]string) string {
		t.Helper()
		e, err := Load(write(t, files))
		if err != nil {
			t.Fatal(err)
		}
		return e.Revision()
	}
	type m = map[string]string
	one := load(m{"a.rego": denyAll, "data.json": `{"a": 1, "b": 2}`})
	if len(one) != 12 {
		t.Errorf("revision %q", one)
	}
	if same := load(m{"a.rego": denyAll, "data.json": `{"b": 2, "a": 1}`, "README.md": "x"}); same != one {
		t.Errorf("the same policy elsewhere is %s, not %s", same, one)
	}
	for _, other := range []m{
		{"a.rego": denyAll + "\n", "data.json": `{"a": 1, "b": 2}`},
		{"a.rego": denyAll, "data.json": `{"a": 1, "b": 3}`},
		{"a.rego": denyAll},
	} {
		if load(other) == one {
			t.Errorf("%v has the same revision", other)
		}
	}
}

// A Kubernetes ConfigMap: files are symlinks into ..data, which is a symlink to
// a directory that is swapped whole.
func configMap(t *testing.T, dir, version, text string) {
	t.Helper()
	real := filepath.Join(dir, ".."+version)
	if err := os.Mkdir(real, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(real, "policy.rego"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(".."+version, filepath.Join(dir, "..data_tmp")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "policy.rego")
	if err := os.Symlink("..data/policy.rego", link); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
}

func TestLoadConfigMap(t *testing.T) {
	dir := t.TempDir()
	configMap(t, dir, "1", denyAll)
	e, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := decide(t, e, at(sample(), policy.PhaseRequest)); d.Action != policy.Deny {
		t.Errorf("action %v", d.Action)
	}
}
