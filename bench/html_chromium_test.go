package bench

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/bench/pagetest"
)

func TestChromiumLaysItOut(t *testing.T) {
	pages := pagesOf(t)
	f := func(name, size string, charts, tables int) {
		t.Helper()
		got := pagetest.Measure(t, pages[name], size)
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
	dom := pagetest.Open(t, pagetest.Unguarded(htmlOf(t, broken())), "1280,900", "--dump-dom")
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
		pagetest.Open(t, page, "1280,1400", "--screenshot="+file)
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
