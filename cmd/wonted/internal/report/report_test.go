package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// synthetic is a page with something of everything.
func synthetic() *Page {
	p := &Page{
		Files: []File{{"/var/log/access.log", "combined", 5159, 2}, {"edge.jsonl.zst", "wonted", 12000, 0}},
		From:  start, To: start.Add(9 * 24 * time.Hour), Exchanges: 17159, Identities: 312, Anomalous: 61, Stopped: 14,
		Days: 2210, Alerts: 19, Target: 1, Realised: 8.6, Threshold: 4, Width: time.Hour,
		Actions: []Action{{"deny", "denied", 44, 5}, {"challenge", "challenged", 17, 9}, {"throttle", "throttled", 0, 0}},
		Notes:   []string{"/var/log/access.log: line 12: not a line of an access log"},
		More:    3,
	}
	actions := []string{"allow", "throttle", "challenge", "deny"}
	for i := range 9 * 24 {
		if hour := i % 24; hour > 10 && i%50 != 0 {
			continue
		}
		action := "allow"
		score := 0.4 + float64(i*37%23)/10
		if i%50 == 0 {
			action, score = actions[i/50%4], 4.2+float64(i%60)/10
		}
		p.Timeline = append(p.Timeline, Cell{start.Add(time.Duration(i) * time.Hour), 80, score, action})
	}
	for i := range 9 {
		p.Daily = append(p.Daily, Day{start.AddDate(0, 0, i).Format(time.DateOnly), 240, i * i % 5, 1900, i})
	}
	for i := range 24 {
		p.Offenders = append(p.Offenders, Offender{
			Name: fmt.Sprintf("%02d_4d0b763140a5986f3441ad9e4e32e4b71", i), Kind: "caller", Verdict: "would have had 5 requests denied", Action: actions[3-i/6], Score: 11.2 - float64(i)/3,
			From: start.Add(time.Hour), To: start.Add(2 * time.Hour), Odd: 5 + i, Requests: 430,
			Evidence: []Evidence{{"10,000 records in one response where about 10 are usual", "data exfiltration", "API4:2023", "volume", 9.1},
				{"a network never seen of this caller, of 3 in 812 sessions", "", "", "network", 3.2}},
			Reasons:  []string{"unusual for this caller"},
			Examples: []Example{{start, "GET /v1/orders/{id}", 200, 10000, 2_400_000, 9.1, "deny", "line 5155"}, {start.Add(time.Second), "GET /v1/orders", 0, -1, -1, 4.4, "challenge", "line 5156"}},
		})
	}
	return p
}

// hostile is what an attacker writes into names and paths.
func hostile() *Page {
	p := synthetic()
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'</style></title>` + "\u202e\x00{{.}}"
	p.Files[0].Name = evil
	p.Notes = []string{evil}
	o := &p.Offenders[0]
	o.Name, o.Reasons = evil, []string{evil}
	o.Evidence[0].Summary, o.Evidence[0].Attack, o.Evidence[0].Detector = evil, evil, evil
	o.Examples[0].Route, o.Examples[0].Where = evil, evil
	return p
}

func html(t *testing.T, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageTells(t *testing.T) {
	page := html(t, synthetic())
	for _, want := range []string{
		"<b>61 requests of 14 identities</b>", "17,159 exchanges", "10,000 records in one response where about 10 are usual",
		"data exfiltration API4:2023", "policy: unusual for this caller", "GET /v1/orders/{id}", "line 5155", "2.4 MB",
		"291 identities and 2,564 requests a million exchanges", "8.6", "where the budget is 1", "And 3 more",
		"5 of 430 requests in this log (1.16 %) stood out; the other 425 passed", "<h3>20. caller", "threshold 4",
		"/var/log/access.log: line 12: not a line of an access log",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<h3>21.", "NaN", "Inf", "<script", "http:", "https:", "src=", "url("} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
}

// TestNothingIsTakenForMarkup: whatever stands in a log, the page's tags are
// those of the template.
func TestNothingIsTakenForMarkup(t *testing.T) {
	tags := func(page string) map[string]bool {
		all := map[string]bool{}
		for _, tag := range regexp.MustCompile(`<[a-zA-Z!/][^\s>]*`).FindAllString(page, -1) {
			all[tag] = true
		}
		return all
	}
	usual, page := tags(html(t, synthetic())), html(t, hostile())
	for tag := range tags(page) {
		if !usual[tag] {
			t.Errorf("%s is in the page of a hostile log", tag)
		}
	}
	if strings.Contains(page, "onerror=alert(2)>") || !strings.Contains(page, "&lt;script&gt;") {
		t.Error("a name is not escaped, or not shown")
	}
}

// TestPagesOfLittle: nothing, one exchange, one moment: no NaN, and charts are XML.
func TestPagesOfLittle(t *testing.T) {
	one := synthetic()
	one.Timeline, one.Daily, one.Offenders, one.To, one.Width = one.Timeline[:1], one.Daily[:1], one.Offenders[:1], one.From, time.Second
	odd := synthetic()
	odd.Timeline[0].Score, odd.Timeline[1].Score, odd.Realised, odd.Width = math.NaN(), math.Inf(1), math.NaN(), 0
	long := synthetic()
	for i := range 500 {
		long.Daily = append(long.Daily, Day{start.AddDate(0, 1, i).Format(time.DateOnly), 1, 1, 1, 1})
	}
	for name, p := range map[string]*Page{"nothing": {}, "one": one, "odd": odd, "long": long, "whole": synthetic(), "hostile": hostile()} {
		page := html(t, p)
		if at := regexp.MustCompile(`.{20}(NaN|Inf).{20}`).FindString(page); at != "" {
			t.Errorf("%s: %s", name, at)
		}
		for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1) {
			d := xml.NewDecoder(strings.NewReader(svg))
			d.Entity = xml.HTMLEntity
			for {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("%s: %v in %.300s", name, err, svg)
				}
			}
		}
		if n := strings.Count(page, `class="b-alert"`); n > shownDays {
			t.Errorf("%s: %d days", name, n)
		}
	}
}
