// Package pagetest opens pages in a Chromium without a window, for tests of the
// reports that wonted writes: how they are laid out, and that nothing runs in
// them. Start with [Measure].
//
// It imports nothing of the module but envoytest, which ends processes.
package pagetest

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"html"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// Open opens a page in a window of a size, "width,height", and returns what
// Chromium prints: nothing without flags, the document with --dump-dom.
func Open(t *testing.T, page, size string, flags ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium(t), append(flags, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--hide-scrollbars", "--user-data-dir="+t.TempDir(), "--window-size="+size,
		(&url.URL{Scheme: "file", Path: file}).String())...)
	cmd.SysProcAttr, cmd.WaitDelay = envoytest.Child(), 10*time.Second
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Path, err, complaints.String())
	}
	return out.String()
}

// chromium finds the browser that CHROMIUM names, or one on PATH: make test
// sees to it that there is one.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no Chromium: set CHROMIUM=/path/to/chromium, or run .ci/chromium, which finds or installs one")
	return ""
}

// Layout is what is on a page.
type Layout struct {
	Charts, Texts, Tables int      // Texts: of the charts
	Faults                []string // what cannot be read, or does not fit
}

//go:embed ruler.html
var ruler string

var policyMeta = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`)

// Measure lays a page out and looks at it: texts of a chart that are cut off or
// lie on each other, charts that are too narrow, a page that is wider than its
// window. A page whose own policy does not forbid scripts fails the test.
func Measure(t *testing.T, page, size string) (found Layout) {
	t.Helper()
	if !policyMeta.MatchString(page) {
		t.Error("the page does not forbid scripts")
	}
	page = strings.Replace(Unguarded(page), "</body>", ruler+"</body>", 1)
	dom := Open(t, page, size, "--dump-dom")
	match := regexp.MustCompile(`(?s)<pre id="measured">(.+?)</pre>`).FindStringSubmatch(dom)
	if match == nil {
		t.Fatalf("the ruler did not run:\n%.2000s", dom)
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(match[1])), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// Unguarded is the page without its policy: in it runs whatever got in.
func Unguarded(page string) string { return policyMeta.ReplaceAllString(page, "") }
