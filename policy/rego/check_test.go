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
	f(`deny contains "x" if data.network.batch`, `data.network is not defined`)
	f(`deny contains "x" if { some k; data.networks[k][_] == "a" }`)
	f(`deny contains "x" if data.networks.batch[0] == "a"`)
	f(`deny contains "x" if data.wonted.policy.helper`, `data.wonted.policy.helper is not defined`)
	f("helper := {\"a\": 1}\ndeny contains \"x\" if data.wonted.policy.helper.a")
	f(`deny contains "x" if data.wonted.test.input`)

	f(`quarantine contains {"entity": "caller", "ttl": "1m"}`, "not carried out by this version")
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
