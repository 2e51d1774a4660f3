package rego

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

func tryOn(t *testing.T, e *Engine, in *policy.Input) *Trial {
	t.Helper()
	doc, err := Document(in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Try(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTry(t *testing.T) {
	e := must(t, `
deny contains "post" if input.request.method == "POST"
throttle contains {"reason": why, "retry_after": 9} if {
	input.anomalous
	some why, score in input.detectors
	score > 5
}
challenge contains "new" if {
	input.anomalous
	not input.identity.mature
}
severity contains "low"`)
	got := tryOn(t, e, at(odd(sample(), map[scoring.Detector]float64{scoring.Rate: 6, scoring.Volume: 7, scoring.Hour: 2}), policy.PhaseRequest))
	if got.Decision.Action != "throttle" || got.Decision.Reason != "rate; volume" || got.Decision.RetryAfter != 9 {
		t.Errorf("%+v", got.Decision)
	}
	said := func(why string) any { return map[string]any{"reason": why, "retry_after": json.Number("9")} }
	if diff := cmp.Diff([]Fired{
		{"throttle", said("rate"), "test.rego", 4}, {"throttle", said("volume"), "test.rego", 4}, {"severity", "low", "test.rego", 13},
	}, got.Fired); diff != "" {
		t.Error(diff)
	}
	condition := func(row, col int, text string) Problem {
		return Problem{File: "test.rego", Row: row, Col: col, Message: text}
	}
	if diff := cmp.Diff([]Held{
		{"deny", "test.rego", 3, condition(3, 25, `input.request.method == "POST"`)},
		{"challenge", "test.rego", 9, condition(11, 2, `not input.identity.mature`)},
	}, got.Held); diff != "" {
		t.Error(diff)
	}
	if got.Read["input.anomalous"] != true || got.Read["input.request.method"] != "GET" || len(got.Read) != 4 || len(got.Unknown) > 0 {
		t.Errorf("read %v, unknown %v", got.Read, got.Unknown)
	}
	var trace strings.Builder
	if got.WriteTrace(&trace); !strings.Contains(trace.String(), "test.rego:11") {
		t.Errorf("trace %s", trace.String())
	}
}

// Looking on changes nothing.
func TestTryDecidesAsDecideDoes(t *testing.T) {
	d := seeded(3)
	var tr trial
	n := 0
	for range 300 {
		e, text, err := tr.policy(d)
		if err != nil {
			t.Fatal(err)
		}
		if e == nil {
			continue
		}
		in := anInput(d)
		want, err := e.Decide(t.Context(), in)
		if err != nil {
			continue
		}
		n++
		if diff := cmp.Diff(inWords(want), tryOn(t, e, in).Decision); diff != "" {
			t.Fatalf("%s\n%s", text, diff)
		}
	}
	if n < 50 {
		t.Errorf("only %d policies", n)
	}
}

func TestTryTellsStrangeNames(t *testing.T) {
	e := must(t, `deny contains "x" if input.anomalous`)
	got, err := e.Try(t.Context(), map[string]any{
		"identiy": map[string]any{}, "request": map[string]any{"verb": "GET", "headers": map[string]any{"x": "y"}},
		"detectors": map[string]any{"rates": json.Number("1")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, p := range got.Unknown {
		said = append(said, p.Message)
	}
	if got := strings.Join(said, "; "); got != `input.detectors has no "rates" and is always undefined; input has no "identiy" and is always undefined; input.request has no "verb" and is always undefined` {
		t.Error(got)
	}
}

func TestTryGivesUp(t *testing.T) {
	e := must(t, exploding[0])
	_, err := e.Try(t.Context(), map[string]any{})
	if err == nil || !strings.Contains(err.Error(), "test.rego:2:") || !strings.Contains(err.Error(), "given up after 200000 steps") {
		t.Errorf("%v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Try(ended, map[string]any{}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}
