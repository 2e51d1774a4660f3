package report

import (
	"regexp"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/bench/pagetest"
)

func TestChromiumLaysItOut(t *testing.T) {
	f := func(p *Page, size string, charts int) {
		t.Helper()
		found := pagetest.Measure(t, html(t, p), size)
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
	dom := pagetest.Open(t, pagetest.Unguarded(html(t, hostile())), "1280,900", "--dump-dom")
	if at := regexp.MustCompile(`(?i)<script|<img`).FindString(dom); at != "" {
		t.Errorf("%s in the document", at)
	}
	if !strings.Contains(dom, "&lt;script&gt;alert(1)") {
		t.Error("the name is not shown")
	}
}
