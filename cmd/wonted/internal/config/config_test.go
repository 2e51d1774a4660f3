package config

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wonted-project/wonted/policy"
)

var rewrite = flag.Bool("rewrite", false, "write the messages into testdata/*.bad.yml; then read them")

// Each testdata/*.bad.yml holds one mistake, and begins with what its user is
// to see: "# line: problem" and "# hint: …".
func TestBadConfigs(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad configurations found: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".bad.yml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			head := strings.SplitN(string(text), "\n", 3)
			if len(head) < 3 || head[0][:2] != "# " || !strings.HasPrefix(head[1], "# hint: ") {
				t.Fatalf("%s does not begin with its message and hint", file)
			}
			_, err = Parse(filepath.Base(file), text, nil)
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("got %v, want an *Error", err)
			}
			got := fmt.Sprintf("# %d: %s\n# hint: %s", e.Line, e.Problem, e.Allowed)
			if *rewrite {
				write(t, file, got+"\n"+head[2])
				return
			}
			if want := head[0] + "\n" + head[1]; got != want {
				t.Errorf("message differs\n got %s\nwant %s", got, want)
			}
		})
	}
	t.Logf("%d bad configurations", len(files))
}

func TestDefaultsWithoutAFile(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Default(), c, plain); d != "" {
		t.Error(d)
	}
	if c.Mode != policy.Shadow {
		t.Errorf("out of the box the mode is %v, want shadow", c.Mode)
	}
}

var plain = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.Comparer(func(a, b Timezone) bool { return a.String() == b.String() }),
}

func TestTheDocumentedFileIsTheDefault(t *testing.T) {
	text, err := os.ReadFile("testdata/default.yml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse("default.yml", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	if d := cmp.Diff(want, c, plain); d != "" {
		t.Error(d)
	}
}

func TestFlagsOverrideTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	write(t, file, "mode: enforce\nlisten: 127.0.0.1:1\npolicy: {path: /a}\n")
	c, err := Load(file, Overrides{"mode": "shadow", "listen": "127.0.0.1:2", "policy.path": "/b"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Mode != policy.Shadow || c.Listen != "127.0.0.1:2" || c.Policy.Path != "/b" {
		t.Errorf("got mode %v, listen %s, policy %s", c.Mode, c.Listen, c.Policy.Path)
	}
	_, err = Load(file, Overrides{"depth": "body"})
	if e, ok := errors.AsType[*Error](err); !ok || e.Flag != "--depth" || e.Line != 0 {
		t.Errorf("a wrong flag must be called by its name, got %v", err)
	}
	_, err = Load(file, Overrides{"admin": "0.0.0.0:80"})
	if e, ok := errors.AsType[*Error](err); !ok || e.Flag != "--admin" {
		t.Errorf("a flag that fails validation must be called by its name, got %v", err)
	}
}

func TestFileInTheWorkingDirectoryIsRead(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, File, "fail: closed\n")
	c, err := Load("", nil)
	if err != nil || c.Fail != policy.FailClosed {
		t.Errorf("got %v, %v", c, err)
	}
	if _, err := Load("absent.yaml", nil); err == nil {
		t.Error("a file that is named must exist")
	}
}

func TestSettingsWithoutEffectWarn(t *testing.T) {
	f := func(text string, want int) {
		t.Helper()
		c, err := Parse("c.yaml", []byte(text), nil)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if len(c.Warnings) != want {
			t.Errorf("%s: %d warnings %q, want %d", text, len(c.Warnings), c.Warnings, want)
		}
	}
	f("", 0)
	f("# nothing but a comment\n", 0)
	f("mode: shadow", 0)
	f("budget: {max_alerts_per_day: 5}", 0)
	f("listen: 0.0.0.0:9000", 1)
	f("listen: 127.0.0.1:9000", 0)
}

func TestAnchorsWork(t *testing.T) {
	c, err := Parse("c.yaml", []byte("admin: &a 127.0.0.1:7000\nmetrics: \"\"\nlisten: *a\n"), nil)
	if err != nil || c.Listen != "127.0.0.1:7000" {
		t.Errorf("got %v, %v", c, err)
	}
}

func FuzzLoad(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, s := range seeds {
		text, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("f.yaml", text, nil)
		if (c == nil) == (err == nil) {
			t.Fatalf("either a Config or an error, got %v and %v", c, err)
		}
		if e, ok := errors.AsType[*Error](err); err != nil && (!ok || e.Problem == "" || e.Line < 0) {
			t.Fatalf("an error without its place or its problem: %#v", err)
		}
		if err == nil && c.validate(source{}) != nil {
			t.Fatal("what was accepted is not valid")
		}
	})
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
