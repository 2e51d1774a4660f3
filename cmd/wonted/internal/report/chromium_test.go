package report

import (
	"context"
	"encoding/json"
	htmlpkg "html"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// browse opens a page in the Chromium that CHROMIUM names, or one on PATH,
// without a window, and returns what it prints.
func browse(t *testing.T, page, size string, flags ...string) string {
	t.Helper()
	browser := ""
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && browser == "" {
			browser = path
		}
	}
	if browser == "" {
		t.Fatal("no Chromium: set CHROMIUM=/path/to/chromium, or run .ci/chromium, which finds or installs one")
	}
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, append(flags, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--hide-scrollbars", "--user-data-dir="+t.TempDir(), "--window-size="+size, (&url.URL{Scheme: "file", Path: file}).String())...)
	cmd.WaitDelay = 10 * time.Second
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", browser, err, complaints.String())
	}
	return string(out)
}

// ruler measures the page that it stands in: texts of a chart that are cut off
// or lie on each other, and a page that is wider than its window.
const ruler = `<pre id="measured"></pre><script>
const found = {charts: 0, texts: 0, faults: []};
if (document.documentElement.scrollWidth > innerWidth) {
	found.faults.push('the page is ' + document.documentElement.scrollWidth + ' wide in a window of ' + innerWidth);
}
for (const svg of document.querySelectorAll('svg')) {
	found.charts++;
	const chart = svg.parentNode.querySelector('figcaption').textContent, all = svg.viewBox.baseVal, boxes = [];
	for (const text of svg.querySelectorAll('text')) {
		found.texts++;
		const b = text.getBBox();
		if (b.x < 0 || b.y < 0 || b.x + b.width > all.width || b.y + b.height > all.height) {
			found.faults.push(chart + ': "' + text.textContent + '" is cut off');
		}
		for (const o of boxes) {
			if (b.x < o.x + o.width - 1 && o.x < b.x + b.width - 1 && b.y < o.y + o.height - 5 && o.y < b.y + b.height - 5) {
				found.faults.push(chart + ': "' + text.textContent + '" lies on "' + o.text + '"');
			}
		}
		boxes.push({x: b.x, y: b.y, width: b.width, height: b.height, text: text.textContent});
	}
}
document.getElementById('measured').textContent = JSON.stringify(found);
</script>`

var policyMeta = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`)

func TestChromiumLaysItOut(t *testing.T) {
	f := func(p *Page, size string, charts int) {
		t.Helper()
		page := html(t, p)
		if !policyMeta.MatchString(page) {
			t.Error("the page does not forbid scripts")
		}
		dom := browse(t, strings.Replace(policyMeta.ReplaceAllString(page, ""), "</body>", ruler+"</body>", 1), size, "--dump-dom")
		match := regexp.MustCompile(`(?s)<pre id="measured">(.+?)</pre>`).FindStringSubmatch(dom)
		if match == nil {
			t.Fatalf("the ruler did not run:\n%.2000s", dom)
		}
		var found struct {
			Charts, Texts int
			Faults        []string
		}
		if err := json.Unmarshal([]byte(htmlpkg.UnescapeString(match[1])), &found); err != nil {
			t.Fatal(err)
		}
		for _, fault := range found.Faults {
			t.Errorf("in %s: %s", size, fault)
		}
		if found.Charts != charts || found.Texts < 5*charts {
			t.Errorf("in %s: %d charts with %d texts, want %d", size, found.Charts, found.Texts, charts)
		}
	}
	f(synthetic(), "1280,900", 4)
	f(synthetic(), "420,900", 4)
	f(hostile(), "1280,900", 4)
}

// TestChromiumRunsNothing: without the page's own policy, too.
func TestChromiumRunsNothing(t *testing.T) {
	dom := browse(t, policyMeta.ReplaceAllString(html(t, hostile()), ""), "1280,900", "--dump-dom")
	if at := regexp.MustCompile(`(?i)<script|<img`).FindString(dom); at != "" {
		t.Errorf("%s in the document", at)
	}
	if !strings.Contains(dom, "&lt;script&gt;alert(1)") {
		t.Error("the name is not shown")
	}
}
