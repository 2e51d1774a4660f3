package detect

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sections are the parts of the page, by the id of their heading.
func sections(t *testing.T, r *Report) map[string]string {
	t.Helper()
	var page bytes.Buffer
	if err := r.HTML(&page); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, s := range regexp.MustCompile(`(?s)<section [^>]*aria-labelledby="([a-z-]+)">(.*?)</section>`).FindAllStringSubmatch(page.String(), -1) {
		all[s[1]] = html.UnescapeString(s[2])
	}
	return all
}

// rows are the heads of a section's rows, without what is said of them.
func rows(section string) (heads []string) {
	for _, h := range regexp.MustCompile(`<th scope="row">([^<]+)`).FindAllStringSubmatch(section, -1) {
		heads = append(heads, strings.TrimSpace(h[1]))
	}
	return heads
}

// The page tells what the text does: what was found, of held-out families apart,
// what lasts, what an informed attacker takes, and where wonted is not the better one.
func TestPageTellsWhatTextDoes(t *testing.T) {
	r := wholeReport(t)
	parts := sections(t, r)
	f := func(section string, want []string) {
		t.Helper()
		if got := rows(parts[section]); len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s has rows %q, want %q", section, got, want)
		}
	}
	var all, known, heldOut, lasting, strategies, baselines []string
	for _, s := range r.Scenarios {
		all = append(all, s.Name)
		if s.HeldOut {
			heldOut = append(heldOut, s.Name)
		} else {
			known = append(known, s.Name)
		}
		if s.Long != nil {
			lasting = append(lasting, s.Name)
		}
	}
	for _, in := range r.Informed {
		strategies = append(strategies, in.Strategy)
	}
	for _, by := range r.beaten() {
		baselines = append(baselines, by.Judge)
	}
	f("attacks", known)
	f("held-out", heldOut)
	f("classes", all)
	f("long", lasting)
	f("informed", strategies)
	f("beside", append(slices.Clone(all), "threshold"))
	f("not-beaten", baselines)
	f("played", all)

	var text strings.Builder
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	for _, n := range r.NotBeaten {
		told := fmt.Sprintf("%s %.2f (%.2f)", n.Scenario, n.Recall, n.Wonted)
		if !strings.Contains(parts["not-beaten"], told) || !strings.Contains(text.String(), told) {
			t.Errorf("%s of %s is not told", told, n.Judge)
		}
	}
	for i := range r.Informed {
		taken := strings.Join(r.Informed[i].taken(), "; ")
		if !strings.Contains(parts["informed"], taken) || !strings.Contains(text.String(), taken) {
			t.Errorf("%s: %q is not told", r.Informed[i].Strategy, taken)
		}
	}

	missed := Result{Name: "missed", Found: []Found{{}, {}}, Long: &Slow{}}
	if got := append(missed.untilStopped(), missed.Found[0].until()); !slices.Equal(got, []string{nothing, nothing, nothing}) {
		t.Errorf("what was never found was so after %q", got)
	}

	best := *r
	best.NotBeaten = nil
	if part := sections(t, &best)["not-beaten"]; !strings.Contains(part, "Nowhere.") || rows(part) != nil {
		t.Errorf("nothing is better, and the page says %q", part)
	}
	best.Scenarios, best.Informed = r.Scenarios[:2], nil
	for _, empty := range []string{"held-out", "informed", "long"} {
		if _, ok := sections(t, &best)[empty]; ok {
			t.Errorf("there is a section %s of nothing", empty)
		}
	}
}
