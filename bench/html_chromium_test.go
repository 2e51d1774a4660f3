package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"image"
	"image/png"
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

// browse opens a page without a window, and returns what Chromium prints.
func browse(t *testing.T, page, size string, flags ...string) string {
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

// ruler measures the page that it stands in. Two texts of a chart may touch,
// not lie on each other: letters leave a little of their line empty.
const ruler = `<pre id="measured"></pre><script>
const found = {charts: 0, texts: 0, tables: 0, faults: []};
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
	if (svg.getBoundingClientRect().width < 200) found.faults.push(chart + ': narrower than can be read');
}
found.tables = document.querySelectorAll('table').length;
document.getElementById('measured').textContent = JSON.stringify(found);
</script>`

var policyMeta = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`)

// measured opens a page with the ruler in it; the page's own policy, which
// forbids scripts, is taken out for that.
func measured(t *testing.T, page, size string) (found struct {
	Charts, Texts, Tables int
	Faults                []string
}) {
	t.Helper()
	if !policyMeta.MatchString(page) {
		t.Error("the page does not forbid scripts")
	}
	page = strings.Replace(policyMeta.ReplaceAllString(page, ""), "</body>", ruler+"</body>", 1)
	dom := browse(t, page, size, "--dump-dom")
	match := regexp.MustCompile(`(?s)<pre id="measured">(.+?)</pre>`).FindStringSubmatch(dom)
	if match == nil {
		t.Fatalf("the ruler did not run:\n%.2000s", dom)
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(match[1])), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestChromiumLaysItOut(t *testing.T) {
	pages := pagesOf(t)
	f := func(name, size string, charts, tables int) {
		t.Helper()
		got := measured(t, pages[name], size)
		for _, fault := range got.Faults {
			t.Errorf("%s in %s: %s", name, size, fault)
		}
		if got.Charts != charts || got.Tables != tables {
			t.Errorf("%s in %s: %d charts and %d tables, want %d and %d", name, size, got.Charts, got.Tables, charts, tables)
		}
		if got.Texts < 5*charts {
			t.Errorf("%s in %s: only %d texts in %d charts", name, size, got.Texts, charts)
		}
	}
	f("whole", "1280,900", 36, 19)
	f("whole", "520,900", 36, 19)
	f("broken", "1280,900", 15, 11)
	f("one round of one variant", "1280,900", 3, 5)
	f("empty", "1280,900", 0, 0)
}

// What a report is told can put nothing into the page.
func TestChromiumRunsNothing(t *testing.T) {
	dom := browse(t, policyMeta.ReplaceAllString(htmlOf(t, broken()), ""), "1280,900", "--dump-dom")
	if at := regexp.MustCompile(`(?i)<script|<img|<b>unheard`).FindString(dom); at != "" {
		t.Errorf("%s in the document:\n%.2000s", at, dom)
	}
	if !strings.Contains(dom, "&lt;script&gt;alert(") {
		t.Error("the failure is not told")
	}
}

// A picture of the page has its colours: charts are drawn, on light paper or,
// where the reader asks for it, on dark.
func TestChromiumPaintsIt(t *testing.T) {
	paint := func(page string) (paper float64, colours map[[3]uint32]int) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "page.png")
		browse(t, page, "1280,1400", "--screenshot="+file)
		raw, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		picture, err := png.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		return colouring(picture)
	}
	page := htmlOf(t, synthetic())
	light, colours := paint(page)
	if light < 0.95 {
		t.Errorf("paper is %.2f of white", light)
	}
	// --noop and --adaptive of report.css, in bars of some size.
	for name, colour := range map[string][3]uint32{"noop": {0xc2, 0x57, 0x1a}, "adaptive": {0x07, 0x57, 0xb8}} {
		if colours[colour] < 1000 {
			t.Errorf("%d pixels in the colour of %s", colours[colour], name)
		}
	}
	dark, _ := paint(strings.ReplaceAll(page, "@media (prefers-color-scheme: dark)", "@media all"))
	if dark > 0.2 {
		t.Errorf("dark paper is %.2f of white", dark)
	}
}

// colouring returns how bright the corner is, 0 to 1, and how often each colour is there.
func colouring(picture image.Image) (corner float64, colours map[[3]uint32]int) {
	colours = map[[3]uint32]int{}
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b, _ := picture.At(x, y).RGBA()
			colours[[3]uint32{r >> 8, g >> 8, b >> 8}]++
		}
	}
	r, g, b, _ := picture.At(bounds.Min.X, bounds.Min.Y).RGBA()
	return float64(r+g+b) / (3 * 0xffff), colours
}
