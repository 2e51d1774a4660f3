package rego

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// echo says whatever the test puts into the input.
const echo = `package wonted.policy

deny contains x if some x in input.deny
challenge contains x if some x in input.challenge
throttle contains x if some x in input.throttle
allow contains x if some x in input.allow
response_budget contains x if some x in input.response_budget
inspect contains x if some x in input.inspect
severity contains x if some x in input.severity
quarantine contains x if some x in input.quarantine
request_headers contains x if some x in input.request_headers
response_headers contains x if some x in input.response_headers
remove_request_headers contains x if some x in input.remove_request_headers
remove_response_headers contains x if some x in input.remove_response_headers
metadata contains x if some x in input.metadata
`

// outputs makes what a policy might say, out of few values, so that they meet.
type outputs struct{ *rand.Rand }

func (r outputs) pick(values ...string) string { return values[r.IntN(len(values))] }

// some makes up to n elements, usually none.
func (r outputs) some(n int, one func() any) []any {
	out := []any{}
	if r.IntN(2) == 0 {
		return out
	}
	for range r.IntN(n + 1) {
		out = append(out, one())
	}
	return out
}

func (r outputs) verdict() any {
	if r.IntN(3) == 0 {
		return r.pick("a", "b", "c", "")
	}
	o := map[string]any{}
	if r.IntN(2) == 0 {
		o["reason"] = r.pick("a", "b", "c", "")
	}
	if r.IntN(3) == 0 {
		o["status"] = []int{401, 403, 404, 429}[r.IntN(4)]
	}
	if r.IntN(3) == 0 {
		o["retry_after"] = 1 + r.IntN(3)
	}
	if r.IntN(3) == 0 {
		o["realm"] = r.pick("x", "y", "")
	}
	if r.IntN(3) == 0 {
		o["acr_values"], o["max_age"] = r.pick("x", "y z", ""), 1+r.IntN(3)
	}
	if r.IntN(3) == 0 {
		o["redirect"] = r.pick("/login", "/step-up", "https://login.example.com/")
	}
	if r.IntN(3) == 0 {
		o["quota"], o["window"] = 1+r.IntN(3), 1+r.IntN(3)
	}
	if r.IntN(3) == 0 {
		o["shadow"] = r.IntN(2) == 0
	}
	if r.IntN(3) == 0 {
		o["rule"], o["rollout"], o["cohorts"] = r.pick("r", "s"), r.IntN(101), []string{"person"}
	}
	return o
}

func (r outputs) exception() any {
	v := r.verdict()
	if o, ok := v.(map[string]any); ok {
		for _, name := range []string{"shadow", "rule", "rollout", "cohorts", "acr_values", "max_age", "redirect", "quota", "window"} {
			delete(o, name)
		}
	}
	return v
}

func (r outputs) budget() any {
	switch r.IntN(4) {
	case 0:
		return map[string]any{"records": 1 + r.IntN(3)}
	case 1:
		return map[string]any{"bytes": 1 + r.IntN(3)}
	case 2:
		return map[string]any{"usual": 0.5 + float64(r.IntN(3))}
	}
	return map[string]any{"records": 1 + r.IntN(3), "bytes": 1 + r.IntN(3), "usual": 1 + r.IntN(3)}
}

func (r outputs) header() any {
	o := map[string]any{"name": r.pick("a", "B", "b", "c"), "value": r.pick("1", "2", "3")}
	if r.IntN(4) == 0 {
		o["value"] = 1 + r.IntN(3)
	}
	if r.IntN(2) == 0 {
		o["for"] = r.pick("allow", "throttle", "challenge", "deny")
	}
	return o
}

func (r outputs) all() map[string]any {
	name := func() any { return r.pick("a", "B", "b", "d") }
	return map[string]any{
		"deny":            r.some(3, r.verdict),
		"challenge":       r.some(3, r.verdict),
		"throttle":        r.some(3, r.verdict),
		"allow":           r.some(1, r.exception),
		"response_budget": r.some(3, r.budget),
		"inspect":         r.some(1, func() any { return "why" }),
		"severity":        r.some(3, func() any { return r.pick("none", "low", "medium", "high", "critical") }),
		"quarantine": r.some(3, func() any {
			q := map[string]any{"entity": r.pick("caller", "session", "device"), "ttl": r.pick("1m", "60s", "1h")}
			if r.pick("with", "with", "without") == "without" {
				delete(q, "ttl") // the ladder says
			}
			return q
		}),
		"request_headers":         r.some(4, r.header),
		"response_headers":        r.some(4, r.header),
		"remove_request_headers":  r.some(2, name),
		"remove_response_headers": r.some(2, name),
		"metadata": r.some(4, func() any {
			h := r.header().(map[string]any)
			h["key"] = strings.ToLower(h["name"].(string))
			delete(h, "name")
			return h
		}),
	}
}

func asJSON(t *testing.T, v any) (out map[string]any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// One meaning of many rules, written twice.
func TestCombinationAgrees(t *testing.T) {
	e, err := FromSource("echo.rego", []byte(echo))
	if err != nil {
		t.Fatal(err)
	}
	library, err := rego.New(
		rego.Query("d = data.wonted.combine.decision"),
		rego.Module("echo.rego", echo),
		rego.Module("combine.rego", string(CombineSource())),
		rego.Capabilities(capabilities()),
	).PrepareForEval(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	r := outputs{rand.New(rand.NewPCG(1, 2))}
	actions := map[string]int{}
	for range 1500 {
		said := r.all()
		input := ast.MustInterfaceToValue(said)
		rs, err := library.Eval(context.Background(), rego.EvalParsedInput(input))
		if err != nil || len(rs) != 1 {
			t.Fatalf("%v: %d results, %v", said, len(rs), err)
		}
		text, err := json.Marshal(rs[0].Bindings["d"])
		if err != nil {
			t.Fatal(err)
		}
		var inRego map[string]any
		if err := json.Unmarshal(text, &inRego); err != nil {
			t.Fatal(err)
		}
		d, err := e.evaluate(context.Background(), ast.NewTerm(input), time.Unix(0, 0))
		if err != nil {
			t.Fatalf("%v: %v", said, err)
		}
		words := inWords(d)
		words.Rules = nil // the library knows no texts that stand in the policy
		if diff := cmp.Diff(inRego, asJSON(t, words)); diff != "" {
			text, _ := json.MarshalIndent(said, "", " ")
			t.Fatalf("rego - go +\n%s\nof %s", diff, text)
		}
		actions[d.Action.String()]++
	}
	for _, a := range []string{"allow", "throttle", "challenge", "deny"} {
		if actions[a] < 20 {
			t.Errorf("only %d decisions to %s: %v", actions[a], a, actions)
		}
	}
}

func TestCombineLibraryWithoutAPolicyAllows(t *testing.T) {
	rs, err := rego.New(
		rego.Query("data.wonted.combine.decision"),
		rego.Module("combine.rego", string(CombineSource())),
	).Eval(context.Background())
	if err != nil || len(rs) != 1 {
		t.Fatalf("%d results, %v", len(rs), err)
	}
	if got := rs[0].Expressions[0].Value.(map[string]any)["action"]; got != "allow" {
		t.Errorf("action %v", got)
	}
}
