package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// comparedOutput is what --output json prints of two policies, read back.
type comparedOutput struct {
	differences []difference
	summary     replaySummary
}

func playTwo(t *testing.T, args ...string) (c comparedOutput) {
	t.Helper()
	out, errs, err := play(t, "", append(args, "--output", "json")...)
	if err != nil || errs != "" {
		t.Fatalf("%v\n%s", err, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var last struct{ Summary *replaySummary }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Summary == nil || last.Summary.Compared == nil {
		t.Fatalf("no summary of a comparison: %v\n%s", err, lines[len(lines)-1])
	}
	c.summary = *last.Summary
	for _, l := range lines[:len(lines)-1] {
		var d difference
		if err := json.Unmarshal([]byte(l), &d); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
		c.differences = append(c.differences, d)
	}
	if len(c.differences) != c.summary.Compared.Differ {
		t.Fatalf("%d differences are printed, %d counted", len(c.differences), c.summary.Compared.Differ)
	}
	return c
}

// benchStream is what bench detect emits of a small world, and policies beside it.
func benchStream(t *testing.T, policies map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, rules := range policies {
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(name, "policy.rego"), []byte("package wonted.policy\n\n"+rules+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	err := run(t.Context(), []string{"bench", "detect", "--seed", "233", "--identities", "50", "--days", "7", "--runs", "10",
		"--scenario", "dump_x30", "--emit", "stream.jsonl"}, stdio{nil, &out, &out})
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	all, err := os.ReadFile("stream.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	some := slices.Collect(bytes.Lines(all))
	if err := os.WriteFile("stream.jsonl", bytes.Join(some[:min(len(some), streamLines)], nil), 0o600); err != nil {
		t.Fatal(err)
	}
}

// streamLines are two days, in which callers come to be known and some are odd.
const streamLines = 8000

// TestCompareIsBothAlone: where neither policy reads bodies, what differs is
// what differs between a replay of each: exchange by exchange, and in numbers.
func TestCompareIsBothAlone(t *testing.T) {
	benchStream(t, map[string]string{
		"lenient": `deny contains "very far from usual" if input.score >= 6`,
		"strict": `deny contains "far from usual" if input.score >= 4.5

throttle contains {"reason": "no habits", "retry_after": 20} if {
	input.request.method == "DELETE"
	not input.identity.mature
}`,
		"budget": `response_budget contains {"records": 20}`,
	})
	f := func(a, b string) {
		t.Helper()
		both := playTwo(t, "--policy", a, "--policy", b, "stream.jsonl")
		alone := map[string]map[int]string{}
		for _, name := range []string{a, b} {
			p := playJSON(t, "", "--policy", name, "stream.jsonl")
			alone[name] = map[int]string{}
			for _, l := range p.lines {
				if l["action"] != "allow" {
					alone[name][int(l["line"].(float64))] = l["action"].(string)
				}
			}
			side := both.summary.Compared.A
			if name == b {
				side = both.summary.Compared.B
			}
			if !maps.Equal(side.Actions, p.summary.Actions) {
				t.Errorf("%s and %s: %s has %v, alone %v", a, b, name, side.Actions, p.summary.Actions)
			}
			if name != "budget" && both.summary.Anomalous != p.summary.Anomalous { // alone, bodies are scored that it asks for
				t.Errorf("%s and %s: %d are anomalous, %s alone has %d", a, b, both.summary.Anomalous, name, p.summary.Anomalous)
			}
		}
		got, want := map[int]string{}, map[int]string{}
		for _, d := range both.differences {
			got[d.Line] = d.A.Action + " " + d.B.Action
		}
		for _, name := range []string{a, b} {
			for line := range alone[name] {
				if x, y := alone[a][line], alone[b][line]; x != y {
					want[line] = orAllow(x) + " " + orAllow(y)
				}
			}
		}
		if len(want) < 50 || !maps.Equal(got, want) {
			t.Errorf("%s and %s differ on %d lines, alone they do on %d", a, b, len(got), len(want))
		}
		if !maps.Equal(both.summary.Actions, both.summary.Compared.B.Actions) {
			t.Errorf("the summary's actions %v are not B's", both.summary.Actions)
		}
		t.Logf("%s and %s differ on %d of %d exchanges", a, b, len(got), both.summary.Exchanges)
	}
	f("budget", "lenient")
	f("", "strict")
}

func orAllow(action string) string {
	if action == "" {
		return "allow"
	}
	return action
}

// TestDecisionsTeachNothing: what is known of callers does not depend on what
// two policies decide, nor on which of them is A.
func TestDecisionsTeachNothing(t *testing.T) {
	benchStream(t, map[string]string{
		"none":   `deny contains "never" if input.request.method == "TRACE"`,
		"all":    `deny contains "always"`,
		"bound":  `response_budget contains {"bytes": 1}`,
		"bodies": `deny contains "records" if input.response.records > 30`,
	})
	scores := func(c comparedOutput) (all []string) {
		for _, d := range c.differences {
			all = append(all, fmt.Sprint(d.Line, d.Score, d.Anomalous, d.Cohort, d.Route))
		}
		return all
	}
	denied := playTwo(t, "--policy", "none", "--policy", "all", "stream.jsonl")
	if n := denied.summary.Exchanges; n < 1000 || len(denied.differences) != n {
		t.Fatalf("%d of %d exchanges differ, want all", len(denied.differences), n)
	}
	cut := playTwo(t, "--policy", "bound", "--policy", "all", "stream.jsonl")
	byLine := map[string]bool{}
	for _, s := range scores(denied) {
		byLine[s] = true
	}
	if len(cut.summary.Compared.Groups) == 0 || cut.summary.Anomalous != denied.summary.Anomalous {
		t.Errorf("%d are anomalous where all is cut, %d where all is denied", cut.summary.Anomalous, denied.summary.Anomalous)
	}
	for _, s := range scores(cut) {
		if !byLine[s] {
			t.Fatalf("%s is scored otherwise where the other policy cuts", s)
		}
	}

	one, other := playTwo(t, "--policy", "bodies", "--policy", "all", "stream.jsonl"), playTwo(t, "--policy", "all", "--policy", "bodies", "stream.jsonl")
	if len(one.differences) == 0 || one.summary.Compared.A.Actions["deny"] == 0 || !slices.Equal(scores(one), scores(other)) {
		t.Errorf("%d and %d differences, by which of them is A", len(one.differences), len(other.differences))
	}
	for i := range one.differences {
		if x, y := &one.differences[i], &other.differences[i]; x.A != y.B || x.B != y.A {
			t.Fatalf("line %d: %v and %v, the other way round %v and %v", x.Line, x.A, x.B, y.A, y.B)
		}
	}
	if same := playTwo(t, "--policy", "bodies", "--policy", "bodies", "stream.jsonl"); same.summary.Compared.Differ != 0 {
		t.Errorf("a policy differs from itself on %d exchanges", same.summary.Compared.Differ)
	}
}

// TestDifferencesAreBounded: rules may give every exchange a reason of its own.
func TestDifferencesAreBounded(t *testing.T) {
	ds := differs{groups: map[[2]said]*differGroup{}}
	c := counts{}
	const n = 3 * keptNames
	for i := range n {
		b := said{outcome{Action: "deny", Status: 403}, fmt.Sprintf("%d records", i)}
		ds.group(said{outcome: outcome{Action: "allow"}}, b).exchanges++
		c.add(fmt.Sprint(i), "somebody")
	}
	if len(ds.groups) != keptGroups+1 || len(c) != keptNames+1 {
		t.Errorf("%d groups and %d names are kept", len(ds.groups), len(c))
	}
	total := 0
	for _, g := range ds.groups {
		total += g.exchanges
	}
	if rest := ds.groups[[2]said{{outcome{Action: "allow"}, others}, {outcome{Action: "deny"}, others}}]; rest == nil || rest.exchanges != n-keptGroups || total != n {
		t.Errorf("the others are %+v, all %d", rest, total)
	}
}
