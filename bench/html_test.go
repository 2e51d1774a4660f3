package bench

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"testing"
)

func htmlOf(t *testing.T, r *Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := r.HTML(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func pagesOf(t *testing.T) map[string]string {
	one := synthetic()
	one.Cells = one.Cells[:1]
	one.Cells[0].Results = one.Cells[0].Results[3:4]
	one.Cells[0].Results[0].Rounds = one.Cells[0].Results[0].Rounds[:1]
	one.Cells[0].Results[0].Rounds[0].Histogram = nil
	return map[string]string{
		"whole": htmlOf(t, synthetic()), "broken": htmlOf(t, broken()), "one round of one variant": htmlOf(t, one),
		"empty": htmlOf(t, &Report{Version: reportVersion}),
	}
}

// The page is one file: whatever could load another, or run, is not in it.
func TestHTMLStandsAlone(t *testing.T) {
	foreign := regexp.MustCompile(`(?i)<script|<link|<img|<iframe|<object|<[a-z][^<>]*\s(src|on[a-z]+)=|@import|url\(|href="[^#]|https?://`)
	for name, page := range pagesOf(t) {
		if at := foreign.FindStringIndex(page); at != nil {
			t.Errorf("%s: %.80q", name, page[at[0]:])
		}
		for _, bad := range []string{"NaN", "Inf", "ZgotmplZ", "%!", "<no value>"} {
			if at := strings.Index(page, bad); at >= 0 {
				t.Errorf("%s: %.80q", name, page[max(0, at-40):])
			}
		}
		if !strings.HasSuffix(strings.TrimSpace(page), "</html>") || !strings.Contains(page, "How to read it") {
			t.Errorf("%s: the page ends early", name)
		}
	}
}

func TestHTMLEscapesWhatItIsTold(t *testing.T) {
	page := htmlOf(t, broken())
	for _, hostile := range []string{`12 × 502 <script>alert("x")</script>`, `</script><img src=x onerror=alert(1)> & "quotes"`, `<b>unheard of</b>`} {
		if strings.Contains(page, hostile) {
			t.Errorf("%q stands in the page as it is", hostile)
		}
		if !strings.Contains(html.UnescapeString(page), hostile) {
			t.Errorf("%q is not told", hostile)
		}
	}
}

func TestHTMLSaysWhatFailedFirst(t *testing.T) {
	page := htmlOf(t, broken())
	if loud, first := strings.Index(page, "This run does not count: 2 failures"), strings.Index(page, "<table"); loud < 0 || first < loud {
		t.Errorf("failures at %d, the first table at %d", loud, first)
	}
	for _, want := range []string{"Interrupted:", "noop answered ", "wonted-bodies: 4 requests without an answer: 3 × timeout, 1 × reset", "nothing was measured", "(does not count)"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	if whole := htmlOf(t, synthetic()); strings.Contains(whole, "does not count") || strings.Contains(whole, `class="alarm"`) {
		t.Error("a run without failures complains")
	}
}

// Every variant is in every chart and table of a cell, and every figure that
// the text has is in the page too.
func TestHTMLHasTheFigures(t *testing.T) {
	r := synthetic()
	page := htmlOf(t, r)
	for i := range r.Cells {
		if !strings.Contains(page, ">"+r.Cells[i].Name+"</h2>") {
			t.Errorf("cell %s is not in the page", r.Cells[i].Name)
		}
		for _, f := range r.Figures(&r.Cells[i]) {
			for what, figure := range map[string]string{
				"CPU": digits3(f.ProcessorCPU.Median), "added p99": digits3(f.AddedP99.Median), "to noop": hedged(f.ToNoop.PerSecond),
				"the interval to noop": interval(f.ToNoop.ProcessorCPU), "vCPU": digits3(f.ProcessorVCPU.Median),
				"p99.9": digits3(f.P999.Median), "MiB": digits3(f.Resident.Median),
			} {
				if !strings.Contains(page, figure) {
					t.Errorf("%s of %s in %s, %s, is not in the page", what, f.Variant.Name, r.Cells[i].Name, figure)
				}
			}
		}
	}
	// 8 cells: CPU, memory and percentiles of each, throughput but of the open
	// loop; callers with three charts and concurrency with two.
	if n := strings.Count(page, "<svg"); n != 4*8-1+5 {
		t.Errorf("%d charts", n)
	}
	if n := strings.Count(page, `role="img" aria-label="`); n != 4*8-1+5 {
		t.Errorf("%d charts say what they are", n)
	}
}
