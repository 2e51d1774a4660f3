package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/wonted-project/wonted"

// imports says what each package may import of the
// module, and why. A new package joins it with a reason. Tests may import more.
var imports = map[string]struct {
	why string
	may []string
}{
	"scoring/window":    {"counters and sketches know numbers only", nil},
	"scoring/profile":   {"the record is made of windows", []string{"scoring/window"}},
	"scoring/calibrate": {"surprise to score is arithmetic", []string{"scoring/window"}},
	"scoring/route":     {"paths and bodies in, routes out", []string{"scoring/skim"}},
	"scoring/skim":      {"bodies are bytes", nil},
	"scoring": {"the vocabulary and the scorer stand on the four above",
		[]string{"scoring/window", "scoring/profile", "scoring/calibrate", "scoring/route"}},
	"scoring/payload": {"measures what passes, and may speak of exchanges", []string{"scoring"}},
	"scoring/recorded": {"a codec of exchanges, which counts the records of bodies that a HAR holds",
		[]string{"scoring", "scoring/profile", "scoring/payload"}},

	"policy":           {"decides on what scoring found, and knows no policy engine", []string{"scoring", "scoring/profile"}},
	"policy/exception": {"keeps who is excepted from rules", []string{"policy", "scoring", "scoring/profile"}},
	"policy/quarantine": {"implements policy.Quarantines; its journal is set aside like profiles are",
		[]string{"policy", "scoring", "scoring/profile"}},
	"policy/flight": {"implements policy.Recorder", []string{"policy", "scoring", "scoring/profile"}},
	"policy/rego":   {"implements policy.Decider", []string{"policy", "scoring", "scoring/profile"}},

	"extproc":          {"carries exchanges between Envoy and the Gate", []string{"extproc/signin", "policy", "scoring", "scoring/payload"}},
	"extproc/identity": {"names the entities of an exchange", []string{"scoring", "scoring/profile"}},
	"extproc/signin":   {"finds whom a request signs in, and hands over no more than the name", []string{"scoring", "scoring/skim"}},

	"envoy":           {"renders configuration; the program's parts are nothing to it", nil},
	"envoy/edge":      {"configures a filter that envoy renders, and knows of blocks only their addresses", []string{"envoy"}},
	"envoy/envoytest": {"a scene around a real Envoy, for tests", []string{"envoy"}},
	"bench/pagetest":  {"a browser around the pages that are written, for tests", []string{"envoy/envoytest"}},
	"k8s":             {"manifests carry what envoy renders", []string{"envoy"}},
	"k8s/pod":         {"pods are looked at from outside", nil},
	"k8s/image":       {"a program is bytes to who packs it", nil},

	"cmd/wonted":                  {"wires everything", everything},
	"cmd/wonted/internal/config":  {"sections belong to the packages that they configure", []string{"cmd/wonted/internal/admin", "extproc/identity", "extproc/signin", "policy", "policy/quarantine", "scoring", "scoring/profile", "scoring/route"}},
	"cmd/wonted/internal/admin":   {"the API's table and its guard know no route", nil},
	"cmd/wonted/internal/report":  {"a page is filled in by whoever has something to tell", nil},
	"cmd/wonted/internal/openapi": {"reads a description for the table of routes", []string{"scoring/route"}},
	"cmd/wonted/internal/tracing": {"turns exchanges into spans", []string{"policy", "scoring"}},
	"cmd/wonted/internal/demo": {"plays a story through the whole program",
		[]string{"envoy", "extproc/identity", "policy", "policy/rego", "scoring", "scoring/payload", "scoring/profile", "scoring/route"}},

	"bench": {"measures from outside, through Envoy", []string{"envoy"}},
	"bench/detect": {"plays synthetic traffic through the scorer itself, as fast as it goes",
		[]string{"bench", "scoring", "scoring/calibrate", "scoring/profile", "scoring/recorded", "scoring/route", "scoring/window"}},
	"bench/flood": {"drives what the program is made of to its limits", everything},
	"bench/noop":  {"the reference processor must owe nothing to wonted", nil},
}

var everything = []string{"*"}

// heavy says which packages alone may import a dependency.
var heavy = []struct {
	path string
	only []string
	why  string
}{
	{"github.com/open-policy-agent/", []string{"policy/rego"}, "the policy engine stays exchangeable, and out of every other binary"},
	{"github.com/envoyproxy/go-control-plane", []string{"extproc", "envoy", "envoy/edge", "bench/noop", "bench/flood"}, "Envoy's types end at the edge"},
	{"github.com/VictoriaMetrics/fastcache", []string{"scoring/profile"}, "how profiles are kept is the store's business"},
	{"github.com/getkin/kin-openapi", []string{"cmd/wonted/internal/openapi"}, "routes know paths, not how they are described"},
	{"github.com/google/jsonschema-go", []string{"cmd/wonted/internal/admin"}, "what is answered is described in one place"},
	{"github.com/spf13/", []string{"cmd/wonted"}, "flags are the program's"},
	{"github.com/goccy/go-yaml", []string{"cmd/wonted/internal/config", "envoy"}, "there is one configuration file"},
	{"github.com/google/go-containerregistry", []string{"k8s/image"}, "what packs the program is no part of it"},
	{"github.com/CycloneDX/", []string{"k8s/image"}, "so is who lists its parts"},
	{"go.opentelemetry.io/", []string{"cmd/wonted/internal/tracing"}, "how spans are sent stays exchangeable"},
	{"google.golang.org/grpc", []string{"extproc", "envoy/edge", "cmd/wonted", "cmd/wonted/internal/demo", "cmd/wonted/internal/tracing", "bench", "bench/noop", "bench/flood"}, "one door for gRPC"},
	{"testing", []string{"envoy/envoytest", "bench/pagetest"}, "what ships does not carry the test framework"},
}

// timeless are the packages that take now as a parameter: the same code judges
// live, replayed and simulated traffic.
var timeless = []string{"scoring", "policy", "extproc/identity", "extproc/signin"}

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func (l *listed) name() string { return strings.TrimPrefix(l.ImportPath, module+"/") }

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "./...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		var e *exec.ExitError
		if errors.As(err, &e) {
			t.Logf("%s", e.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
	if len(all) < 10 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}

func TestImportsGoOneWay(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		rule, ok := imports[p.name()]
		seen[p.name()] = true
		if !ok {
			t.Errorf("%s is not in the table: add what it may import, and why", p.name())
			continue
		}
		for _, path := range p.Imports {
			own, ok := strings.CutPrefix(path, module+"/")
			if ok && !slices.Contains(rule.may, own) && !slices.Contains(rule.may, "*") {
				t.Errorf("%s imports %s and may not: %s", p.name(), own, rule.why)
			}
		}
	}
	for name := range imports {
		if !seen[name] {
			t.Errorf("the table holds %s, which does not exist", name)
		}
	}
	t.Logf("%d packages", len(seen))
}

func TestHeavyDependenciesHaveOneHome(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			for _, h := range heavy {
				if (path == h.path || strings.HasPrefix(path, strings.TrimSuffix(h.path, "/")+"/")) && !slices.Contains(h.only, p.name()) {
					t.Errorf("%s imports %s and may not: %s", p.name(), path, h.why)
				}
			}
		}
	}
}

func TestOnePackageComment(t *testing.T) {
	for _, p := range packages(t) {
		var with []string
		for _, file := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc == nil {
				continue
			}
			with = append(with, file)
			if text := f.Doc.Text(); !strings.HasPrefix(text, "Package "+f.Name.Name+" ") && !strings.HasPrefix(text, "Command ") {
				t.Errorf("%s/%s: the package comment begins with %q", p.name(), file, strings.SplitN(text, "\n", 2)[0])
			}
		}
		if len(with) != 1 {
			t.Errorf("%s has %d package comments %v, want one", p.name(), len(with), with)
		}
	}
}

func TestTimeIsAParameter(t *testing.T) {
	looked := 0
	for _, p := range packages(t) {
		if !slices.ContainsFunc(timeless, func(n string) bool { return p.name() == n || strings.HasPrefix(p.name(), n+"/") }) {
			continue
		}
		for _, file := range p.GoFiles {
			looked++
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, file), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until"}, s.Sel.Name) {
						t.Errorf("%s: time.%s: take now as a parameter, or a clock from cmd", fset.Position(s.Pos()), s.Sel.Name)
					}
				}
				return true
			})
		}
	}
	if looked == 0 {
		t.Fatal("no file looked at")
	}
}
