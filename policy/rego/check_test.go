package rego

import (
	"strings"
	"testing"
)

func TestRefused(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, err := FromSource("p.rego", []byte(text))
		if err == nil {
			t.Errorf("%s\ncompiles", text)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s\nerror %q lacks %q", text, err, w)
			}
		}
	}
	const p = "package wonted.policy\n"
	f(p+`deny contains "x" if http.send({"method": "get", "url": "http://a"})`, "p.rego:2:22: http.send is not allowed in a policy", "never waits on the network")
	f(p+`deny contains "x" if net.lookup_ip_addr("a")`, "p.rego:2:22: net.lookup_ip_addr is not allowed")
	f(p+`deny contains "x" if opa.runtime().env.HOME`, "opa.runtime is not allowed", "does not read the environment")
	f(p+`deny contains "x" if time.now_ns() > 1`, "time.now_ns is not allowed", "use input.time.unix")
	f(p+`deny contains "x" if rand.intn("a", 2) == 1`, "rand.intn is not allowed", "repeatable")
	f(p+`deny contains uuid.rfc4122("a")`, "uuid.rfc4122 is not allowed")
	f(p+`deny contains "x" if trace("a")`, "trace is not allowed")
	f(p+`deny contains "x" if rego.parse_module("a", "b")`, "rego.parse_module is not allowed")
	f(p+`deny contains "x" if f(1)`, "p.rego:2:22", "undefined function f")
	f(p+`deny contains x`, "p.rego:2:", "var x is unsafe")
	f(p+"deny contains \"x\" if {\n  input.a ==\n}", "p.rego:4:1", "rego_parse_error")
	f(p+`deny := true`, "p.rego:2:1: deny must be a set: write `deny contains … if { … }`")
	f(p+`default deny := false`, "deny must be a set")
	f(p+`deny if input.anomalous`, "deny must be a set")
	f(p+`deny.x contains 1`, "deny must be a set")
	f(p+`severity := "high"`, "severity must be a set")
	f(p+`deny(x) := x`, "deny must be a set")
	f(`package authz
deny contains "x"`, "no rules in package wonted.policy", "found: authz")
	f(``, "p.rego")
}

// All that is wrong is said at once, in the order of the file.
func TestAllErrorsAtOnce(t *testing.T) {
	_, err := FromSource("p.rego", []byte("package wonted.policy\ndeny contains x\nthrottle contains y"))
	if err == nil {
		t.Fatal("compiles")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "p.rego:2:") || !strings.HasPrefix(lines[1], "p.rego:3:") {
		t.Errorf("error:\n%v", err)
	}
}

func TestWarnings(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		dir := write(t, map[string]string{"p.rego": "package wonted.policy\n" + text + "\ninspect contains true if false", "data.json": `{"networks": {"batch": ["10.0.0.0/24"]}, "limit": 5}`})
		e, err := Load(dir)
		if err != nil {
			t.Errorf("%s\n%v", text, err)
			return
		}
		got := e.Warnings()
		if len(got) != len(want) {
			t.Errorf("%s\nwarnings %v, want %d", text, got, len(want))
			return
		}
		for i, w := range want {
			if !strings.Contains(got[i].Error(), w) {
				t.Errorf("%s\nwarning %q lacks %q", text, got[i], w)
			}
			if !strings.HasPrefix(got[i].Error(), dir+"/p.rego:") {
				t.Errorf("%s\nwarning %q does not say where", text, got[i])
			}
		}
	}
	// Names of rules.
	f(`denies contains "x"`, `the rule "denies" has no effect: did you mean "deny"?`)
	f(`challange contains "x"`, `did you mean "challenge"?`)
	f(`response_budgets contains {"records": 1}`, `did you mean "response_budget"?`)
	f(`request_header contains {"name": "a", "value": "b"}`, `did you mean "request_headers"?`)
	f(`something_else contains "x"`)
	f("allowed if input.anomalous\ndeny contains \"x\" if not allowed") // a helper that is used

	// Names in the input.
	f(`deny contains "x" if input.identiy.mature`, `p.rego:2:22: input has no "identiy" and is always undefined: did you mean "identity"?`)
	f(`deny contains "x" if input.identity.matured`, `input.identity has no "matured" and is always undefined: did you mean "mature"?`)
	f(`deny contains "x" if input.request.verb == "GET"`, `input.request has no "verb" and is always undefined: it has id, method`)
	f(`deny contains "x" if input.detectors.new_object > 4`, `did you mean "new_objects"?`)
	f(`deny contains "x" if input.detectors.walking > 4`, `input.detectors has no "walking"`)
	f(`deny contains "x" if { some e in input.evidence; e.score > 4 }`)
	f(`deny contains "x" if input.evidence[_].detectr == "rate"`, `input.evidence[_] has no "detectr"`)
	f(`deny contains "x" if input.request.headers["X-Api-Key"]`, `write "x-api-key"`)
	f(`deny contains "x" if input.request.headers["x-api-key"]`)
	f(`deny contains "x" if input.request.query.page`)
	f(`deny contains "x" if { r := input.request; r.method == "GET" }`)
	f(`deny contains "x" if input.source.country == "XX"`) // in the contract, if not filled yet

	// Names in the data.
	f(`deny contains "x" if not input.source.network in data.networks.batch`)
	f(`deny contains "x" if not input.source.network in data.networks.bach`, `data.networks.bach is not defined by any rule or data file: did you mean "batch"?`)
	f(`deny contains "x" if data.network.batch`, `data.network is not defined by any rule or data file: did you mean "networks"?`)
	f(`deny contains "x" if data.holidays.de`, `data.holidays is not defined by any rule or data file: write it into a data file beside the policy, as data.json: {"holidays": …}`)
	f(`deny contains "x" if { some k; data.networks[k][_] == "a" }`)
	f(`deny contains "x" if data.networks.batch[0] == "a"`)
	f(`deny contains "x" if data.wonted.policy.helper`, `data.wonted.policy.helper is not defined`)
	f("helper := {\"a\": 1}\ndeny contains \"x\" if data.wonted.policy.helper.a")
	f(`deny contains "x" if data.wonted.test.input`, "data.wonted.test is there for tests alone")

	// What is never true.
	f(`deny contains "x" if input.time.weekday == "monday"`, `p.rego:2:22: this is never true for input.time.weekday: did you mean "Monday"?`)
	f(`deny contains "x" if input.severity in {"hihg", "hgih"}`, `this is never true for input.severity: did you mean "high"?`)
	f(`deny contains "x" if input.phase == "reply"`, `this is never true for input.phase: it is one of request, response, body`)
	f(`deny contains "x" if input.time.hour >= 24`, "this is never true: input.time.hour is from 0 to 23")
	f(`deny contains "x" if input.time.hour < 0`, "this is never true: input.time.hour is from 0 to 23")
	f(`deny contains "x" if input.detectors.rate > 12`, "is from 0 to 12")
	f(`deny contains "x" if input.response.size < 0`, "input.response.size is never below 0")
	f(`deny contains "x" if input.score > "4"`, `this is never true: input.score is a number and "4" is not`)
	f(`deny contains "x" if input.request.route == "/v1/export"`, `it is written as in "GET /v1/orders/{id}"`)
	f(`deny contains "x" if input.request.method == 1`, "this is never true for input.request.method: it is a string")
	f("deny contains \"x\" if {\n\tinput.request.method == \"GET\"\n\tinput.request.method == \"POST\"\n}", "p.rego:4:2: this is never true where the condition in line 3 is: both are about input.request.method")
	f(`deny contains "x" if { m := input.request.method; m == "GET"; m in {"POST", "PUT"} }`, "about input.request.method")
	f(`deny contains "x" if { input.score > 4; input.score < 4 }`, "about input.score")
	f(`deny contains "x" if { input.time.hour > 4; input.time.hour < 5 }`, "about input.time.hour")
	f(`deny contains "x" if { input.phase == "request"; input.response.status == 200 }`, "about input.phase")
	f(`deny contains "x" if { input.identity.mature; input.identity.mature == false }`, "about input.identity.mature")

	f("night if input.time.hour > 23\ndeny contains \"x\" if {\n\tinput.anomalous\n\tnight\n}", "p.rego:2:10: this is never true: input.time.hour", "p.rego:5:2: this is never true, as what it refers to is not")
	f("a if input.time.hour > 23\nb if a\ndeny contains \"x\" if b == true", "p.rego:2:6:", "p.rego:3:6: this is never true, as", "p.rego:4:22: this is never true, as")

	// What may be.
	f("night if input.time.hour > 23\nnight if input.time.hour < 5\ndeny contains \"x\" if night", "p.rego:2:10: this is never true: input.time.hour")
	f("night if input.time.hour > 23\ndeny contains \"x\" if not night", "p.rego:2:10: this is never true: input.time.hour")
	f("default night := false\nnight if input.time.hour > 23\ndeny contains \"x\" if night == false", "p.rego:3:10: this is never true: input.time.hour")
	f("night contains 1 if input.time.hour > 23\ndeny contains \"x\" if count(night) == 0", "p.rego:2:21: this is never true: input.time.hour")
	f("night if { input.time.hour > 23 } else := false if input.anomalous\ndeny contains \"x\" if night == false")
	f(`deny contains "x" if { input.score > 4; input.score < 4.0001 }`)
	f(`deny contains "x" if { input.score >= 4; input.score <= 4 }`)
	f(`deny contains "x" if { input.request.path > "a"; input.request.path < "b" }`)
	f(`deny contains "x" if { startswith(input.request.path, "/a"); input.request.path != "/a" }`)
	f(`deny contains "x" if { some w in {"Saturday", "sunday"}; input.time.weekday == w }`)
	f(`deny contains "x" if { not input.phase == "reply" }`)
	f(`deny contains "x" if { input.request.method == "GET"; not input.request.method == "POST" }`)
	f(`deny contains "x" if { count([1 | input.time.hour == 24]) == 0 }`)
	f("night if input.time.hour < 6\nnight if input.time.hour > 22\ndeny contains \"x\" if night")
	f(`deny contains "x" if { input.phase != "request"; input.response.status == 200 }`)
	f(`deny contains "x" if input.request.headers.a == "A"`)

	// What a rule holds.
	f(`request_headers contains "x-risk: high"`, `p.rego:2:26: request_headers cannot hold this: it is a string, want an object of "name" and "value"`)
	f(`request_headers contains sprintf("x-risk: %v", [input.score])`, "it is a string, want an object")
	f(`request_headers contains input.request.path`) // its type is known by the published schema
	f(`request_headers contains {"name": "x-risk", "value": input.severity}`)
	f(`request_headers contains {"nam": "x-risk", "value": input.severity}`, `unknown field "nam"`)
	f(`request_headers contains {"name": "x-risk"}`, `want an object of "name" and "value"`)
	f(`request_headers contains {"name": input.request.path, "value": [input.score]}`, `"value": it is an array`)
	f(`deny contains {"reason": concat(", ", ["a"]), "status": 200}`, "want a whole number from 400 to 599")
	f(`deny contains {"reason": "x", "status": sprintf("%d", [404])}`, `"status": it is a string`)
	f(`deny contains count(input.request.segments)`, "deny cannot hold this: it is a number")
	f(`deny contains 7 if input.anomalous`, `deny cannot hold this: it is a number, want a string (the reason) or an object of "reason", "status", "retry_after", "realm", "acr_values", "max_age", "redirect", "quota", "window", "rule", "shadow", "rollout" and "cohorts": write it as in deny contains "why"`)
	f(`deny contains [r | some r in ["a"]]`, "it is an array")
	f(`severity contains "severe"`, `want "low", "medium", "high" or "critical"`)
	f(`severity contains input.severity`)
	f(`quarantine contains {"entity": "user", "ttl": "1m"}`, `unknown entity "user"`)
	f(`response_budget contains 1000`, `it is a number, want an object of "records"`)
	f("reasons := [\"a\"]\ndeny contains r if some r in reasons")
	f(`allow contains "all"`, "lifts every deny, challenge and throttle: say when")
	f(`allow contains "some" if input.identity.verified`)

	f(`quarantine contains {"entity": "caller", "ttl": "1m"}`)
}

func TestLibraryBesideThePolicyIsQuiet(t *testing.T) {
	e, err := Load(write(t, map[string]string{
		"p.rego":              "package wonted.policy\ndeny contains \"x\" if input.anomalous",
		"wonted/combine.rego": string(CombineSource()),
	}))
	if err != nil {
		t.Fatal(err)
	}
	if w := e.Warnings(); len(w) > 0 {
		t.Errorf("warnings %v", w)
	}
}

func TestDistance(t *testing.T) {
	f := func(a, b string, want int) {
		t.Helper()
		if got := distance(a, b); got != want {
			t.Errorf("distance(%q, %q) = %d, want %d", a, b, got, want)
		}
		if got := distance(b, a); got != want {
			t.Errorf("distance(%q, %q) = %d, want %d", b, a, got, want)
		}
	}
	f("", "", 0)
	f("deny", "deny", 0)
	f("", "deny", 4)
	f("denies", "deny", 3)
	f("kitten", "sitting", 3)
	f("challange", "challenge", 1)
}
