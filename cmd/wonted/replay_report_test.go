package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/recorded"
)

// TestReplayReport: the page tells what the text tells, and what an attacker
// has written is text in it.
func TestReplayReport(t *testing.T) {
	t.Chdir(t.TempDir())
	const evil = "</code><script>alert(1)</script>"
	attack := dump(5)
	for _, r := range attack {
		r.Path = "/v1/" + evil + "?" + evil
		r.Headers["x-api-key"][0] += evil
		r.Headers["user-agent"] = []string{evil}
	}
	if err := os.WriteFile("wonted.yaml", []byte("identity: [{kind: caller, header: x-api-key, name: 'header:user-agent'}]\ntimezone: Asia/Tokyo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	days := append(ordinary(), attack...) // the customer whose key it is has been here before
	if err := os.WriteFile("log.jsonl", []byte("torn\n"+jsonl(t, days)), 0o600); err != nil {
		t.Fatal(err)
	}
	policy := reportEach(t)
	if _, errs, err := play(t, "", "log.jsonl", "--policy", policy, "--report", "would.html"); err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	b, err := os.ReadFile("would.html")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, want := range []string{
		"5,159 exchanges", "2026-11-02 17:00:", " JST", "<b>5,159 requests of 13 identities</b>", "policy: each", "client/3",
		"&lt;script&gt;alert(1)", "log.jsonl: line 1: neither a JSON object", "line 2<",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "0123456789abcdef") {
		t.Error("a script or a key is in the page")
	}

	for _, bad := range []string{filepath.Join("absent", "would.html"), "."} {
		out, _, err := play(t, "", "log.jsonl", "--report", bad)
		if err == nil || out != "" || !strings.Contains(err.Error(), "replay: open "+bad) {
			t.Errorf("--report %s: %v\n%s", bad, err, out)
		}
	}
}

func TestTimeline(t *testing.T) {
	var line timeline
	const n = 5000
	for i := range n {
		line.add(beginning.Add(time.Duration(i)*time.Minute), float64(i%700)/100, policy.Action(1+i/(n-1)*3))
	}
	sum, most := 0, 0.0
	for _, c := range line.cells {
		sum += c.exchanges
		most = max(most, c.score)
	}
	if sum != n || most != 6.99 || len(line.cells) > timelineCells || len(line.cells) < timelineCells/2 {
		t.Errorf("%d exchanges, at most %v, in %d cells", sum, most, len(line.cells))
	}
	if last := line.cells[len(line.cells)-1]; last.action != policy.Deny || line.cells[0].action != policy.Allow {
		t.Errorf("the last cell is %+v", last)
	}
	line.add(beginning.AddDate(70, 0, 0), 1, policy.Allow) // a clock that jumps
	line.add(beginning, 2, policy.Allow)                   // and back
	if len(line.cells) > timelineCells || line.cells[0].exchanges != n+1 {
		t.Errorf("%d cells after a jump, %+v", len(line.cells), line.cells[0])
	}
}

// TestOffendersAreBounded: a log may hold as many as it has lines, and the worst
// are kept.
func TestOffendersAreBounded(t *testing.T) {
	sum := newTally(time.UTC)
	const n = 5 * keptOffenders
	for i := range n {
		r := &policy.Report{Score: float64(i*7919%n) / n}
		sum.offend(profile.Key{Lo: uint64(i + 1)}, &seen{}, policy.Allow, r)
	}
	all := sum.ranked()
	if len(all) > 2*keptOffenders || len(all)+sum.dropped != n {
		t.Errorf("%d are kept and %d dropped, of %d", len(all), sum.dropped, n)
	}
	if all[0].score != float64(n-1)/n || all[keptOffenders-1].score < 0.6 {
		t.Errorf("the worst have scores %v to %v", all[0].score, all[keptOffenders-1].score)
	}
}

func TestProgressLine(t *testing.T) {
	f := func(took time.Duration, read, total int64, exchanges int, want string) {
		t.Helper()
		if got := progressLine(took, read, total, exchanges); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f(10*time.Second, 500e6, 2e9, 600_000, "[######..................]  25 %  500.0 MB of 2.0 GB, 60,000 exchanges/s, 30s left")
	f(10*time.Second, 2e9, 2e9, 600_000, "[########################] 100 %  2.0 GB of 2.0 GB, 60,000 exchanges/s, 0s left")
	f(time.Second, 5e6, -1, 1000, "5.0 MB, 1,000 exchanges/s")
	f(0, 0, 10, 0, "[........................]   0 %  0.0 MB of 0.0 MB, 0 exchanges/s")
}

// TestReplayRefused: what is wrong with the command line is said before anything
// is read.
func TestReplayRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.gz", []byte(inGzip(t, jsonl(t, []*recorded.Exchange{page(beginning, 1, 1)}))), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(want string, args ...string) {
		t.Helper()
		if out, _, err := play(t, "", args...); err == nil || out != "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want …%s…\n%s", args, err, want, out)
		}
	}
	f("--follow reads one file", "--follow", "a.gz", "b")
	f("--follow reads one file", "--follow", "-")
	f("a.gz is compressed", "--follow", "a.gz")
	f("is a directory", "--follow", ".")
	f("no such file", "--follow", "absent")
}
