package rego

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// document is what a policy sees of in, as JSON.
func document(t *testing.T, e *Engine, in *policy.Input) map[string]any {
	t.Helper()
	v, err := ast.JSON(new(view).build(e.plan, in).Value)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// everything is a policy that reads the whole input.
const everything = `deny contains "x" if count(input) == 0`

func TestWholeInput(t *testing.T) {
	ex := odd(sample(), map[scoring.Detector]float64{scoring.Rate: 6.5, scoring.Hour: 2})
	ex.Address = netip.MustParseAddr("198.51.100.7")
	ex.JA4 = []byte("t13d")
	ex.RequestBytes = 12
	ex.Contested = true
	ex.ACR, ex.AuthTime = []byte("mfa"), ex.Time.Unix()-120
	ex.Route.Operation = "shop.v1.Orders/Get"
	ex.Status, ex.ResponseBytes, ex.Records = 200, 4096, 17
	ex.Entities[profile.KindDevice] = scoring.Identity{Kind: profile.KindDevice, Key: profile.Key{Lo: 255}}
	ex.Assessment.Age = 90 * time.Second
	ex.Assessment.Cohort, ex.Assessment.Confidence, ex.Assessment.Risk = "poller", 0.75, 4.25
	in := at(ex, policy.PhaseBody)
	in.Degraded = []string{"profiles"}
	in.Held = []*policy.Block{{
		ID: "0123456789abcdef", Entity: "caller", Since: time.Unix(1000, 0), Until: time.Unix(1300, 0), Rung: 2, Reason: "why", Author: policy.ByPolicy, Shadow: true,
	}}
	type m = map[string]any
	want := m{
		"version": 1.0, "phase": "body", "mode": "shadow",
		"time": m{"unix": 1772461800.0, "hour": 14.0, "weekday": "Monday"},
		"request": m{
			"id": "ab000000000000000000000000000000", "method": "GET", "scheme": "https", "host": "api.example.com",
			"path": "/v1/orders/42%20a", "route": "GET /v1/orders/{id}", "operation": "shop.v1.Orders/Get", "segments": []any{"v1", "orders", "42 a"},
			"query":   m{"fields": "id,total", "q": "a b", "flag": ""},
			"headers": m{"user-agent": "shop/1.0", "accept": "text/html,application/json", "content-type": "Application/JSON; charset=utf-8"},
			"size":    12.0, "protocol": "HTTP/1.1", "content_type": "application/json",
		},
		"response": m{"status": 200.0, "size": 4096.0, "records": 17.0, "duration_ms": 40.0},
		"identity": m{
			"kind": "caller", "id": "00000000000000010000000000000002", "name": "acme", "verified": true, "contested": true, "cohort": "poller", "acr": "mfa", "auth_age": 120.0,
			"age_s": 90.0, "requests": 1234.0, "mature": true, "confidence": 0.75, "risk": 4.25,
		},
		"source": m{"address": "198.51.100.7", "network": "198.51.100.0/24"},
		"device": m{"id": "000000000000000000000000000000ff", "ja4": "t13d", "user_agent": "shop/1.0", "known": false},
		"score":  6.5, "score_version": 1.0, "threshold": 4.0, "anomalous": true, "severity": "high",
		"detectors": m{"rate": 6.5, "hour": 2.0}, "strongest": "rate",
		"evidence": []any{
			m{
				"detector": "rate", "score": 6.5, "observed": 5.0, "expected": 1.0, "unit": "requests", "window": "1m", "entity": "caller",
				"summary": ex.Assessment.Evidence[0].Summary(), "attack": ex.Assessment.Evidence[0].Attack(), "owasp": ex.Assessment.Evidence[0].OWASP(),
			},
			m{
				"detector": "hour", "score": 2.0, "observed": 5.0, "expected": 1.0, "unit": "requests", "window": "1m", "entity": "caller",
				"summary": ex.Assessment.Evidence[1].Summary(), "attack": ex.Assessment.Evidence[1].Attack(), "owasp": ex.Assessment.Evidence[1].OWASP(),
			},
		},
		"intel": []any{}, "quarantine": []any{m{
			"id": "0123456789abcdef", "entity": "caller", "since": 1000.0, "until": 1300.0, "rung": 2.0, "reason": "why", "author": "policy", "shadow": true,
		}}, "degraded": []any{"profiles"},
	}
	if diff := cmp.Diff(want, document(t, must(t, everything), in)); diff != "" {
		t.Error(diff)
	}
}

// What is not known is absent: undefined in a policy, never a number that lies.
func TestUnknownIsAbsent(t *testing.T) {
	ex := &scoring.Exchange{Time: time.Unix(0, 0), RequestBytes: -1, ResponseBytes: -1, Records: -1}
	e := must(t, everything)
	doc := document(t, e, at(ex, policy.PhaseRequest))
	f := func(object string, absent ...string) {
		t.Helper()
		o := doc
		if object != "" {
			o = doc[object].(map[string]any)
		}
		for _, name := range absent {
			if v, ok := o[name]; ok {
				t.Errorf("%s.%s is %v", object, name, v)
			}
		}
	}
	f("", "response", "strongest")
	f("request", "size", "content_type", "operation")
	f("identity", "kind", "id", "risk", "cohort")
	f("source", "address", "network", "asn", "country")
	f("device", "id", "ja4", "user_agent")

	doc = document(t, e, at(ex, policy.PhaseResponse))
	f("response", "status", "size", "records")
}

// What is built is what is read, and reads the same as the whole.
func TestOnlyWhatIsRead(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		e := must(t, text)
		if diff := cmp.Diff(want, e.Inputs()); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
	f(`deny contains "x" if input.request.method == "GET"`, "input.request.method")
	f(`deny contains "x" if input["request"]["method"] == "GET"`, "input.request.method")
	f(`deny contains "x" if { r := input.request; r.method == "GET" }`, "input.request")
	f("import input.request.headers as h\ndeny contains \"x\" if h[\"a\"] == \"GET\"", "input.request.headers.a")
	f(`deny contains "x" if input.request.headers["x-a"]`, "input.request.headers.x-a")
	f(`deny contains "x" if { some k; input.request.headers[k] == "v" }`, "input.request.headers")
	f(`deny contains "x" if input.request.headers[input.request.host]`, "input.request.headers", "input.request.host")
	f(`deny contains "x" if { some e in input.evidence; e.score > 3 }`, "input.evidence")
	f(`deny contains "x" if input.detectors.rate > 3`, "input.detectors.rate")
	f(`deny contains "x" if input.request.segments[0] == "v1"`, "input.request.segments")
	f("f(x) if x.score > 3\ndeny contains \"x\" if f(input)", "input")
	f(`deny contains "x" if not input.identity.mature`, "input.identity.mature")
	f(`deny contains "x"`)
}

func TestPrunedInputReadsTheSame(t *testing.T) {
	ex := odd(sample(), map[scoring.Detector]float64{scoring.Rate: 6.5})
	in := at(ex, policy.PhaseResponse)
	whole := document(t, must(t, everything), in)
	n := 0
	var walk func(fields []field, path string, doc map[string]any)
	walk = func(fields []field, path string, doc map[string]any) {
		for _, fd := range fields {
			p := path + "." + fd.name
			value, ok := doc[fd.name]
			if fd.fields != nil {
				walk(fd.fields, p, value.(map[string]any))
				continue
			}
			n++
			pruned := document(t, must(t, `deny contains "x" if `+p), in)
			var got any = pruned
			var has bool
			for _, name := range splitPath(p) {
				got, has = got.(map[string]any)[name]
			}
			if has != ok || !cmp.Equal(got, value) {
				t.Errorf("%s is %v alone and %v in the whole", p, got, value)
			}
		}
	}
	walk(schema, "input", whole)
	if n < 40 {
		t.Errorf("only %d fields were compared", n)
	}
}

func splitPath(p string) (names []string) {
	for _, t := range ast.MustParseRef(p)[1:] {
		names = append(names, string(t.Value.(ast.String)))
	}
	return names
}

func TestReads(t *testing.T) {
	f := func(text string, response, body bool) {
		t.Helper()
		e := must(t, text)
		if e.Reads(policy.PhaseResponse) != response || e.Reads(policy.PhaseBody) != body {
			t.Errorf("%s: response %v, body %v", text, e.Reads(policy.PhaseResponse), e.Reads(policy.PhaseBody))
		}
	}
	f(`deny contains "x" if input.anomalous`, false, false)
	f(`deny contains "x" if input.response.status == 500`, true, false)
	f(`deny contains "x" if input.phase == "response"`, true, false)
	f(`deny contains "x" if input.response.records > 10`, true, true)
	f(`deny contains "x" if input.response.size > 10`, true, true)
	f(`deny contains "x" if count(input.response) > 10`, true, true)
	f(everything, true, true)
}

func TestHostilePathIsBounded(t *testing.T) {
	ex := sample()
	ex.Path = append(slices.Repeat([]byte("/a"), 30_000), '?')
	ex.Path = append(ex.Path, slices.Repeat([]byte("a&"), 30_000)...)
	doc := document(t, must(t, everything), at(ex, policy.PhaseRequest))["request"].(map[string]any)
	if n := len(doc["segments"].([]any)); n != maxParts {
		t.Errorf("%d segments", n)
	}
	ex.Path = []byte("/a%zz/%41?x=%zz&y=%41")
	doc = document(t, must(t, everything), at(ex, policy.PhaseRequest))["request"].(map[string]any)
	if diff := cmp.Diff([]any{"a%zz", "A"}, doc["segments"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"x": "%zz", "y": "A"}, doc["query"]); diff != "" {
		t.Error(diff)
	}
}

func TestSeverity(t *testing.T) {
	f := func(score float64, want string) {
		t.Helper()
		a := &scoring.Assessment{Score: score, Threshold: 4, Anomalous: score >= 4}
		if got := Severity(a); got != want {
			t.Errorf("score %v is %q, want %q", score, got, want)
		}
	}
	f(0, "none")
	f(2.9, "none")
	f(3, "low")
	f(4, "medium")
	f(6, "high")
	f(8, "critical")
}
