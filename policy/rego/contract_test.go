package rego

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/policy"
)

func TestContract(t *testing.T) {
	f := func(text string, want policy.Decision) {
		t.Helper()
		got := *decide(t, must(t, text), at(sample(), policy.PhaseRequest))
		got.Candidates = nil // TestCandidates
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
		if !asPublished(t, said(t, text), publishedDecision) {
			t.Errorf("%s\nis not as published", text)
		}
	}
	header := func(name, value string) policy.HeaderRule { return policy.HeaderRule{Name: name, Value: value} }

	f(`deny contains "x" if false`, policy.Decision{Action: policy.Allow})
	f(`helper := 1`, policy.Decision{Action: policy.Allow})
	f(`deny contains "x" if input.request.method == "GET"`, policy.Decision{Action: policy.Deny, Reason: "x"})
	f(`deny contains {"reason": "gone", "status": 404}`, policy.Decision{Action: policy.Deny, Reason: "gone", Status: 404})
	f(`deny contains {"status": 404.0}`, policy.Decision{Action: policy.Deny, Status: 404})
	f(`challenge contains {"reason": "who?", "realm": "orders"}`, policy.Decision{Action: policy.Challenge, Reason: "who?", Realm: "orders"})
	f(`throttle contains {"reason": "slow", "retry_after": 60}`, policy.Decision{Action: policy.Throttle, Reason: "slow", RetryAfter: time.Minute})
	f(`challenge contains {"reason": "who?", "acr_values": "phr mfa", "max_age": 300, "redirect": "/login?from=api"}`, policy.Decision{Action: policy.Challenge, Reason: "who?",
		Manner: policy.Manner{ACRValues: "phr mfa", MaxAge: 5 * time.Minute, Redirect: "/login?from=api"}})
	f(`challenge contains {"redirect": "https://login.example.com"}`, policy.Decision{Action: policy.Challenge, Manner: policy.Manner{Redirect: "https://login.example.com"}})
	f(`throttle contains {"reason": "slow", "quota": 100, "window": 60}`, policy.Decision{Action: policy.Throttle, Reason: "slow",
		Manner: policy.Manner{Quota: 100, Window: time.Minute}})
	f("throttle contains \"t\"\nchallenge contains \"c\"\ndeny contains \"d\"", policy.Decision{Action: policy.Deny, Reason: "d"})
	f("deny contains \"d\"\nallow contains \"batch\"", policy.Decision{Action: policy.Allow, Reason: "batch"})
	f("deny contains \"b\"\ndeny contains \"a\"", policy.Decision{Action: policy.Deny, Reason: "a; b"})
	f("response_budget contains {\"records\": 1000}\nresponse_budget contains {\"bytes\": 5, \"usual\": 1.5}",
		policy.Decision{Action: policy.Allow, Budget: policy.Budget{Records: 1000, Bytes: 5, Usual: 1.5}})
	f(`inspect contains "look closer"`, policy.Decision{Action: policy.Allow, Inspect: true})
	f(`inspect contains true`, policy.Decision{Action: policy.Allow, Inspect: true})
	f("severity contains \"low\"\nseverity contains \"high\"", policy.Decision{Action: policy.Allow, Severity: "high"})
	f("severity contains input.severity\nseverity contains \"low\" if false", policy.Decision{Action: policy.Allow}) // it is "none"
	f("severity contains input.severity\nseverity contains \"low\"", policy.Decision{Action: policy.Allow, Severity: "low"})
	f(`quarantine contains {"entity": "credential", "ttl": "15m"}`,
		policy.Decision{Action: policy.Allow, Quarantine: []policy.Quarantine{{Entity: "credential", TTL: 15 * time.Minute}}})
	f("request_headers contains {\"name\": \"X-Risk\", \"value\": input.severity}\nremove_request_headers contains \"Authorization\"",
		policy.Decision{Action: policy.Allow, Request: []policy.HeaderRule{{Name: "authorization", Remove: true}, header("x-risk", "none")}})
	f("response_headers contains {\"name\": \"a\", \"value\": 7}\nresponse_headers contains {\"name\": \"b\", \"value\": true}\nremove_response_headers contains \"server\"",
		policy.Decision{Action: policy.Allow, Response: []policy.HeaderRule{header("a", "7"), header("b", "true"), {Name: "server", Remove: true}}})
	f("request_headers contains {\"name\": \"a\", \"value\": \"1\"}\nrequest_headers contains {\"name\": \"a\", \"value\": \"2\", \"for\": \"deny\"}",
		policy.Decision{Action: policy.Allow, Request: []policy.HeaderRule{header("a", "2")}, Conflicts: 1})
	f("metadata contains {\"key\": \"tier\", \"value\": \"gold\"}\nmetadata contains {\"key\": \"n\", \"value\": 7}\nmetadata contains {\"key\": \"n\", \"value\": 8, \"for\": \"deny\"}",
		policy.Decision{Action: policy.Allow, Metadata: []policy.HeaderRule{header("n", "8"), header("tier", "gold")}, Conflicts: 1})
}

// What each rule wants, and for whom, is in the decision beside what comes of it.
func TestCandidates(t *testing.T) {
	f := func(text string, action policy.Action, want ...policy.Candidate) {
		t.Helper()
		got := decide(t, must(t, text), at(sample(), policy.PhaseRequest))
		if got.Action != action {
			t.Errorf("%s\n%v, want %v", text, got.Action, action)
		}
		if diff := cmp.Diff(want, got.Candidates); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
		if !asPublished(t, said(t, text), publishedDecision) {
			t.Errorf("%s\nis not as published", text)
		}
	}
	rule := func(id, reason string, stage policy.Stage) policy.Rule {
		return policy.Rule{ID: id, Reason: reason, Stage: stage}
	}
	f(`deny contains {"rule": "exports", "reason": "why", "shadow": true}`, policy.Allow,
		policy.Candidate{Action: policy.Deny, Rule: rule("exports", "why", policy.Stage{Shadow: true})})
	f(`throttle contains {"rule": "a.b-c_d", "rollout": 25, "cohorts": {"person", "batch"}, "shadow": false}`, policy.Throttle,
		policy.Candidate{Action: policy.Throttle, Rule: rule("a.b-c_d", "", policy.Stage{Withheld: 75, Cohorts: []string{"batch", "person"}})})
	f("throttle contains \"t\"\nchallenge contains \"c\"", policy.Challenge,
		policy.Candidate{Action: policy.Challenge, Rule: rule("c", "c", policy.Stage{})},
		policy.Candidate{Action: policy.Throttle, Rule: rule("t", "t", policy.Stage{})})
	f("deny contains \"d\"\nallow contains \"batch\"", policy.Allow)

	// Without an id a rule is called by a reason that stands in the policy, and
	// never by one that is made of the request.
	f(`deny contains reasons[input.request.method]
reasons := {"GET": "it reads"}`, policy.Deny, policy.Candidate{Action: policy.Deny, Rule: rule("it reads", "it reads", policy.Stage{})})
	f(`deny contains sprintf("%s is not for you", [input.request.method])`, policy.Deny,
		policy.Candidate{Action: policy.Deny, Rule: rule("deny", "GET is not for you", policy.Stage{})})
	long := strings.Repeat("ä", 40)
	f(`challenge contains "`+long+`"`, policy.Challenge,
		policy.Candidate{Action: policy.Challenge, Rule: rule(long[:64], long, policy.Stage{})})
}

// unpublished is what the schema of decisions does not say, by the error.
var unpublished = []string{"no status of HTTP", "frames the message", "steers Envoy", `to "720h"`, "is false: leave"}

// What a policy can answer against the contract fails the decision, and the
// message tells its author which rule, what it was, and what it should be.
func TestGarbage(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		d, err := must(t, text).Decide(context.Background(), at(sample(), policy.PhaseRequest))
		if !errors.Is(err, policy.ErrContract) {
			t.Errorf("%s: decision %+v, error %v", text, d, err)
			return
		}
		if !slices.ContainsFunc(unpublished, func(w string) bool { return strings.Contains(err.Error(), w) }) && asPublished(t, said(t, text), publishedDecision) {
			t.Errorf("%s\nis as published", text)
		}
		rule, _, _ := strings.Cut(text, " ")
		for _, w := range append(want, "wonted.policy."+rule) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s:\nerror %q lacks %q", text, err, w)
			}
		}
	}
	f(`deny contains 7`, "element 7", "a number", "want a string (the reason) or an object")
	f(`deny contains true`, "a boolean")
	f(`deny contains null`, "null")
	f(`deny contains ["a"]`, "an array")
	f(`deny contains {"a"}`, "a set")
	f(`deny contains {"code": 403}`, `unknown field "code"`, `"status"`)
	f(`deny contains {1: 2}`, "the name 1 is a number")
	f(`deny contains {"status": 200}`, `"status"`, "from 400 to 599")
	f(`deny contains {"status": 600}`, "from 400 to 599")
	f(`deny contains {"status": 403.5}`, "whole number")
	f(`deny contains {"status": "403"}`, "a string, want a whole number")
	f(`deny contains {"status": 499}`, "no status of HTTP")
	f(`deny contains {"reason": 1}`, `"reason"`, "want a string")
	f(`throttle contains {"retry_after": 0}`, "from 1 to 86400")
	f(`throttle contains {"retry_after": 86401}`, "from 1 to 86400")
	f(`challenge contains {"realm": "a\"b"}`, `"realm"`, "without quotes")
	f(`challenge contains {"realm": "a\nb"}`, "printable ASCII")
	f(`challenge contains {"acr_values": "a\"b"}`, `"acr_values"`, "without quotes")
	f(`challenge contains {"max_age": 0}`, `"max_age"`, "from 1 to 31536000")
	f(`challenge contains {"redirect": "//evil.example"}`, `"redirect"`, "leads nowhere")
	f(`challenge contains {"redirect": "javascript:alert(1)"}`, `"redirect"`, "leads nowhere")
	f(`challenge contains {"redirect": "login"}`, `"redirect"`, "a path as in /login")
	f(`challenge contains {"redirect": "/a b"}`, `"redirect"`, "does not do")
	f(`challenge contains {"redirect": "/a\r\nset-cookie: x"}`, `"redirect"`, "does not do")
	f(`throttle contains {"quota": 5}`, "belong together")
	f(`throttle contains {"window": 5}`, "belong together")
	f(`throttle contains {"quota": 0, "window": 5}`, `"quota"`, "from 1")
	f(`metadata contains "tier"`, `"key" and "value"`)
	f(`metadata contains {"key": "tier"}`, `"key" and "value"`)
	f(`metadata contains {"key": "action", "value": "allow"}`, "what wonted says itself")
	f(`metadata contains {"key": "Tier", "value": "x"}`, "is no key")
	f(`metadata contains {"key": "tier", "value": {}}`, "want a string, a number or a boolean")
	f(`deny contains {"rule": "all of it"}`, `"rule"`, `as in "exports"`)
	f(`deny contains {"shadow": "yes"}`, `"shadow"`, "want true or false")
	f(`deny contains {"rollout": 101}`, `"rollout"`, "0 to 100")
	f(`deny contains {"rollout": "25%"}`, "0 to 100")
	f(`deny contains {"cohorts": "person"}`, `"cohorts"`, "an array of names")
	f(`deny contains {"cohorts": [1]}`, "want a string")
	f(`deny contains {"cohorts": []}`, "leave it out")
	f(`allow contains {"reason": "why", "shadow": true}`, "are for deny, challenge and throttle")
	f(`response_budget contains 1000`, "a number", `"records"`)
	f(`response_budget contains {}`, "bounds nothing")
	f(`response_budget contains {"records": 0}`, `"records"`, "from 1")
	f(`response_budget contains {"usual": 0}`, "above 0")
	f(`response_budget contains {"usual": "1"}`, "a string")
	f(`response_budget contains {"record": 1}`, `unknown field "record"`)
	f(`inspect contains false`, "leave the rule undefined")
	f(`inspect contains 1`, "a number")
	f(`severity contains "severe"`, `"critical"`)
	f(`quarantine contains "credential"`, `"entity"`)
	f(`quarantine contains {"ttl": "15m"}`, `"entity"`)
	f(`quarantine contains {"entity": "user", "ttl": "1m"}`, "want one of caller, credential")
	f(`quarantine contains {"entity": "device", "ttl": "1 hour"}`, `as in "15m"`)
	f(`quarantine contains {"entity": "device", "ttl": "721h"}`, `"720h"`)
	f(`request_headers contains "x: y"`, `"name" and "value"`)
	f(`request_headers contains {"name": "a"}`, `"name" and "value"`)
	f(`request_headers contains {"name": ":method", "value": "GET"}`, "pseudo-headers")
	f(`request_headers contains {"name": "Host", "value": "a"}`, "frames the message")
	f(`request_headers contains {"name": "content-length", "value": 1}`, "frames the message")
	f(`request_headers contains {"name": "transfer-encoding", "value": "chunked"}`, "frames the message")
	f(`request_headers contains {"name": "x-envoy-max-retries", "value": 1}`, "steers Envoy")
	f(`request_headers contains {"name": "a b", "value": 1}`, "no header name")
	f(`request_headers contains {"name": "", "value": 1}`, "no header name")
	f(`request_headers contains {"name": "a", "value": "x\r\ny: z"}`, "control characters")
	f(`request_headers contains {"name": "a", "value": ["x"]}`, "an array")
	f(`request_headers contains {"name": "a", "value": "x", "for": "block"}`, `"challenge"`)
	f(`remove_request_headers contains ":path"`, "pseudo-headers")
	f(`remove_response_headers contains {"name": "a"}`, "want a string")
}

func TestLongGarbageDoesNotFillTheLog(t *testing.T) {
	_, err := must(t, `deny contains [x] if x := concat("", [input.request.path | some i in numbers.range(1, 100)])`).
		Decide(context.Background(), at(sample(), policy.PhaseRequest))
	if err == nil || len(err.Error()) > 400 {
		t.Errorf("%d bytes: %v", len(err.Error()), err)
	}
}

// A decision holds nothing of the exchange, which is reused.
func TestDecisionOutlivesItsExchange(t *testing.T) {
	e := must(t, `request_headers contains {"name": "x-path", "value": input.request.path}
deny contains input.request.headers["user-agent"]`)
	ex := sample()
	d := decide(t, e, at(ex, policy.PhaseRequest))
	for _, b := range [][]byte{ex.Path, ex.Headers[0].Value} {
		for i := range b {
			b[i] = '!'
		}
	}
	if d.Reason != "shop/1.0" || d.Request[0].Value != "/v1/orders/42%20a" {
		t.Errorf("decision changed with the exchange: %+v", d)
	}
}
