package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/recorded"
)

// play runs wonted replay and returns what it printed.
func play(t *testing.T, in string, args ...string) (out, errs string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	err = run(t.Context(), append([]string{"replay"}, args...), stdio{strings.NewReader(in), &stdout, &stderr})
	return stdout.String(), stderr.String(), err
}

// printed is what --output json prints, read back.
type printed struct {
	lines   []map[string]any
	summary struct {
		Exchanges, Identities, Windows, Anomalous int
		Actions                                   map[string]int
		Budget                                    struct{ Target, Realised *float64 }
		Seconds                                   *float64
	}
}

func playJSON(t *testing.T, in string, args ...string) printed {
	t.Helper()
	out, errs, err := play(t, in, append(args, "--output", "json")...)
	if err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	return parsePrinted(t, out)
}

func parsePrinted(t *testing.T, out string) printed {
	t.Helper()
	var p printed
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, l := range lines {
		var object map[string]any
		if err := json.Unmarshal([]byte(l), &object); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
		p.lines = append(p.lines, object)
	}
	last := p.lines[len(p.lines)-1]
	p.lines = p.lines[:len(p.lines)-1]
	if len(last) != 1 || last["summary"] == nil {
		t.Fatalf("the last object is no summary: %v", last)
	}
	b, err := json.Marshal(last["summary"])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &p.summary); err != nil {
		t.Fatal(err)
	}
	return p
}

// beginning is a Monday.
var beginning = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

const customers, workdays = 12, 8

// ordinary is days of customers who read pages of about ten orders in office
// hours, a line each, in the order of time.
func ordinary() []*recorded.Exchange {
	rnd := rand.New(rand.NewPCG(1, 2))
	var all []*recorded.Exchange
	for day := range workdays {
		for tick := range 9 * 12 { // every five minutes from 8 to 17
			for c := range customers {
				if rnd.Float64() < 0.5 {
					continue
				}
				at := beginning.AddDate(0, 0, day).Add(8*time.Hour + time.Duration(tick)*5*time.Minute + time.Duration(c)*time.Second)
				records := int64(8 + rnd.IntN(5))
				all = append(all, page(at, c, records))
			}
		}
	}
	return all
}

// page is a customer's read of some records.
func page(at time.Time, customer int, records int64) *recorded.Exchange {
	bytes := 200 * records
	return &recorded.Exchange{
		Time: at, Method: "GET", Scheme: "https", Host: "api.example", Path: "/v1/orders?page=1", Protocol: "HTTP/2",
		Headers: map[string][]string{
			"x-api-key":  {fmt.Sprintf("ak_live_%02d_0123456789abcdef0123456789", customer)},
			"user-agent": {fmt.Sprintf("client/%d", customer)},
		},
		Source: fmt.Sprintf("203.0.%d.9:40000", customer), Status: 200,
		ResponseHeaders: map[string][]string{"content-type": {"application/json"}},
		ResponseBytes:   &bytes, Records: &records, DurationMS: 20,
	}
}

// dump is a stolen key: at night, from elsewhere, with another client, a
// thousand times as much.
func dump(n int) []*recorded.Exchange {
	var all []*recorded.Exchange
	for i := range n {
		r := page(beginning.AddDate(0, 0, workdays).Add(3*time.Hour+time.Duration(i)*time.Second), 3, 10_000)
		r.Source, r.Label = "198.51.100.77:1234", "attack"
		r.Headers["user-agent"] = []string{"python-requests/2.32"}
		all = append(all, r)
	}
	return all
}

func jsonl(t *testing.T, exchanges ...[]*recorded.Exchange) string {
	t.Helper()
	var b bytes.Buffer
	e := recorded.NewEncoder(&b)
	for _, list := range exchanges {
		for _, r := range list {
			if err := e.Encode(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b.String()
}

func TestReplayFindsTheDump(t *testing.T) {
	t.Chdir(t.TempDir()) // no wonted.yaml
	days, attack := ordinary(), dump(5)
	p := playJSON(t, jsonl(t, days, attack), "-")

	if p.summary.Exchanges != len(days)+len(attack) || p.summary.Identities != customers {
		t.Errorf("%d exchanges of %d identities, want %d of %d", p.summary.Exchanges, p.summary.Identities, len(days)+len(attack), customers)
	}
	sum := 0
	for _, n := range p.summary.Actions {
		sum += n
	}
	if sum != p.summary.Exchanges || len(p.summary.Actions) != 4 {
		t.Errorf("actions %v do not add up to %d exchanges", p.summary.Actions, p.summary.Exchanges)
	}
	if p.summary.Budget.Target == nil || *p.summary.Budget.Target != 1 || p.summary.Budget.Realised == nil || p.summary.Seconds == nil {
		t.Errorf("summary %+v lacks something", p.summary)
	}
	caught := 0
	for _, l := range p.lines {
		line := int(l["line"].(float64))
		if line <= len(days) {
			continue
		}
		caught++
		if l["action"] == "allow" || l["anomalous"] != true || l["mode"] != "shadow" || l["file"] != nil {
			t.Errorf("a dump: %v", l)
		}
		if line == len(days)+1 && !strings.Contains(fmt.Sprint(l["evidence"]), "data exfiltration") {
			t.Errorf("the first dump is not explained: %v", l["evidence"])
		}
	}
	if caught != len(attack) {
		t.Errorf("%d of %d dumps are reported", caught, len(attack))
	}
	if false := len(p.lines) - caught; false > len(days)/200 {
		t.Errorf("%d of %d ordinary exchanges are reported", false, len(days))
	}
	t.Logf("%d ordinary exchanges, %d reported; %d dumps, %d reported; %.2f s", len(days), len(p.lines)-caught, len(attack), caught, *p.summary.Seconds)
}

func TestReplayIsRepeatable(t *testing.T) {
	t.Chdir(t.TempDir())
	in := jsonl(t, ordinary(), dump(3))
	first, _, err := play(t, in, "-", "--output", "json")
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := play(t, in, "-", "--output", "json")
	if err != nil {
		t.Fatal(err)
	}
	cut := func(s string) string { return s[:strings.LastIndex(s, `"seconds"`)] }
	if cut(first) != cut(second) {
		t.Error("the same recording gives two outputs")
	}
}

// TestLabelsAreNotSeen: ground truth is for benchmarks; detection that read it
// would be worth nothing.
func TestLabelsAreNotSeen(t *testing.T) {
	t.Chdir(t.TempDir())
	days := ordinary()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("0123456789abcdef0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("wonted.yaml", []byte("identity_key: "+key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	plain := playJSON(t, jsonl(t, days), "-")
	for _, r := range days {
		r.Label = "attack"
	}
	labelled := playJSON(t, jsonl(t, days), "-")
	if fmt.Sprint(plain.lines) != fmt.Sprint(labelled.lines) || fmt.Sprint(plain.summary.Actions) != fmt.Sprint(labelled.summary.Actions) {
		t.Error("labels change the verdicts")
	}
}

func TestReplayMergesFiles(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	days, attack := ordinary(), dump(2)
	half := len(days) / 2
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(jsonl(t, days[:half]))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	// Named in the wrong order, one compressed, one with what nobody can read.
	late := write("today.jsonl", []byte("garbage\n"+jsonl(t, days[half:], attack)+"{}\n[]\n\n1\n"))
	early := write("yesterday.jsonl.gz", zipped.Bytes())
	p := playJSON(t, "", late, early)
	if p.summary.Exchanges != len(days)+len(attack) {
		t.Errorf("%d exchanges, want %d", p.summary.Exchanges, len(days)+len(attack))
	}
	caught := 0
	for _, l := range p.lines {
		if l["file"] == late && int(l["line"].(float64)) > 1+len(days)-half {
			caught++
		}
	}
	if caught != len(attack) {
		t.Errorf("%d of %d dumps are reported with their line and file", caught, len(attack))
	}
	_, errs, err := play(t, "", late, early)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{late + ": line 1: neither a JSON object nor a line of an access log", late + ": and 1 more line that cannot be read, of "} {
		if !strings.Contains(errs, want) {
			t.Errorf("standard error lacks %q:\n%s", want, errs)
		}
	}
	if strings.Contains(errs, "more than a minute") {
		t.Errorf("files in the wrong order are judged out of order:\n%s", errs)
	}
}

func TestReplayText(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("wonted.yaml", []byte("identity: [{kind: caller, header: x-api-key, name: mask}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err := play(t, jsonl(t, ordinary(), dump(5)), "-")
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out)
	for _, want := range []string{
		"1. caller ak_live_03_…: would have had ",
		"2026-11-10 03:00:00 to 2026-11-10 03:00:04, score ",
		"30,000 records in 10 minutes where ",
		"[data exfiltration API4:2023]",
		"exchanges   5,159 by 12 identities, 2026-11-02 08:00:",
		"budget      ", "per 1,000 identities and day, where 1 is the target",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the text lacks %q", want)
		}
	}
	if strings.Contains(out, "0123456789") {
		t.Error("a whole API key is printed")
	}
}

// TestReplayPutsInOrder: a log is written when exchanges end, so beginnings
// come out of order; what comes too late is said.
func TestReplayPutsInOrder(t *testing.T) {
	t.Chdir(t.TempDir())
	at := func(d time.Duration) *recorded.Exchange { return page(beginning.Add(time.Hour+d), 1, 10) }
	f := func(late string, all ...*recorded.Exchange) {
		t.Helper()
		_, errs, err := play(t, jsonl(t, all), "-")
		if err != nil || late == "" && errs != "" || !strings.HasPrefix(errs, late) {
			t.Errorf("%v, want %q\n%s", err, late, errs)
		}
	}
	f("", at(0), at(-time.Second), at(-time.Minute))
	f("", at(0), at(time.Minute), at(0), at(-time.Hour)) // nothing is played yet
	f("1 exchange came more than a minute (or 16,384 exchanges) later than", at(0), at(2*time.Minute), at(-time.Second), at(time.Minute))
	f("2 exchanges came more than", at(0), at(2*time.Minute), at(-time.Second), at(-time.Hour))

	// A clock that was in another century for a moment spoils nothing: it is the last.
	f("", at(0), page(beginning.AddDate(70, 0, 0), 1, 10), at(time.Second), at(time.Hour))

	// Order is all that a shuffle within the bound takes away.
	days := ordinary()[:500]
	want := playJSON(t, jsonl(t, days, dump(3)), "-", "--policy", reportEach(t))
	shuffled := slices.Clone(days)
	slices.SortStableFunc(shuffled, func(a, b *recorded.Exchange) int {
		jitter := func(r *recorded.Exchange) int64 { return r.Time.UnixMilli() + int64(r.Time.Second()*7919%25)*1000 }
		return cmp.Compare(jitter(a), jitter(b))
	})
	got := playJSON(t, jsonl(t, shuffled, dump(3)), "-", "--policy", reportEach(t))
	if len(want.lines) != len(days)+3 || len(got.lines) != len(want.lines) {
		t.Fatalf("%d and %d of %d exchanges are shown", len(want.lines), len(got.lines), len(days)+3)
	}
	moved := 0
	for i := range want.lines {
		w, g := want.lines[i], got.lines[i]
		if w["time"] != g["time"] || w["score"] != g["score"] {
			t.Fatalf("exchange %d: %v at %v, in order %v at %v", i, g["score"], g["time"], w["score"], w["time"])
		}
		if w["line"] != g["line"] {
			moved++
		}
	}
	if moved < 100 {
		t.Errorf("only %d exchanges were out of order", moved)
	}
}

// reportEach is a policy that reports each exchange.
func reportEach(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.rego"), []byte("package wonted.policy\n\ndeny contains \"each\" if input.request.method == \"GET\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReplayEnvoyLog(t *testing.T) {
	t.Chdir(t.TempDir())
	var b strings.Builder
	for i := range 50 {
		fmt.Fprintf(&b, `{"start_time":"%s","method":"GET","path":"/v1/orders/%d","response_code":200,"bytes_sent":%d,"duration":3,"downstream_remote_address":"203.0.113.%d:0","user_agent":"curl/8"}`+"\n",
			beginning.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), i%3, 100+i, i%4)
	}
	b.WriteString(`{"start_time":"2026-11-03T00:00:00Z","method":"GET","path":"/","response_code":0,"downstream_remote_address":"203.0.113.0:0"}` + "\n")
	b.WriteString(`{"start_time":"2026-11-03T00:00:00Z","method":"GET","path":"/","response_code":403,"response_code_details":"wonted_denied","downstream_remote_address":"203.0.113.0:0"}` + "\n")
	p := playJSON(t, b.String(), "-", "--format", "envoy")
	if p.summary.Exchanges != 52 || p.summary.Identities != 4 {
		t.Errorf("%d exchanges of %d identities, want 52 of 4 addresses", p.summary.Exchanges, p.summary.Identities)
	}
	if p.summary.Windows < 20 || p.summary.Windows > 4*5+2 {
		t.Errorf("%d windows of ten minutes, want 20 or a few more", p.summary.Windows)
	}
}

func BenchmarkReplay(b *testing.B) {
	b.Chdir(b.TempDir())
	var buf bytes.Buffer
	e := recorded.NewEncoder(&buf)
	days := ordinary()
	for _, r := range days {
		if err := e.Encode(r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		var out bytes.Buffer
		if err := run(b.Context(), []string{"replay", "-"}, stdio{bytes.NewReader(buf.Bytes()), &out, &out}); err != nil {
			b.Fatal(err)
		}
		n += len(days)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "exchanges/s")
}
