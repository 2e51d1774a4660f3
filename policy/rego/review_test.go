package rego

import (
	"strings"
	"testing"
)

func TestCheckFindsNothingWrongWithOurOwn(t *testing.T) {
	r, err := Check(write(t, map[string]string{
		"policy.rego":              string(DefaultSource()),
		"wonted/combine.rego":      string(CombineSource()),
		"schema/input/schema.json": string(inputJSONSchema),
		"wonted/test/data.json":    `{"input": {"score": 1}}`,
		"policy_test.rego":         "package wonted.policy_test\nimport data.wonted.combine\ntest_it if combine.decision.action == \"allow\" with input as data.wonted.test.input",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) > 0 || len(r.Unmemoised) > 0 {
		t.Errorf("problems %v, evaluated because of %v", r.Problems, r.Unmemoised)
	}
	if len(r.Files) != 3 || len(r.Inputs) != 5 || len(r.Revision) != 12 {
		t.Errorf("%+v", r)
	}
}

// Check sees what Load does not look at: strict mode, types, and the tests.
func TestCheck(t *testing.T) {
	f := func(text, tests string, want ...string) {
		t.Helper()
		dir := write(t, map[string]string{"p.rego": "package wonted.policy\n" + text, "p_test.rego": "package wonted.policy_test\n" + tests})
		r, err := Check(dir)
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		if len(r.Problems) != len(want) {
			t.Errorf("%s\n%s\nproblems %v, want %d", text, tests, r.Problems, len(want))
			return
		}
		mistakes := len(want)
		for i, w := range want {
			w, note := strings.CutPrefix(w, "note: ")
			if note {
				mistakes--
			}
			if got := strings.ReplaceAll(r.Problems[i].Error(), dir+"/", ""); !strings.Contains(got, w) {
				t.Errorf("%s\n%s\nproblem %q lacks %q", text, tests, got, w)
			}
		}
		if r.Mistakes() != mistakes {
			t.Errorf("%s\n%d mistakes in %v", text, r.Mistakes(), r.Problems)
		}
	}
	f(`deny contains "x" if input.anomalous`, `test_it if true`)
	f(`deny contains "x" if input.identiy.mature`, ``, `p.rego:2:22: input has no "identiy" and is always undefined: did you mean "identity"?`)
	f(`deny contains "x" if { r := input.request; r.methd == "GET" }`, ``, `p.rego:2:44: r has no "methd" and is always undefined: did you mean "method"?`)
	f(`deny contains "x" if { x := input.score; input.anomalous }`, ``, `p.rego:2:24: rego_compile_error: assigned var x unused`)
	f("import data.networks\ndeny contains \"x\"", ``, `p.rego:2:1: rego_compile_error: import data.networks unused`)
	f(`deny contains "x" if any([input.anomalous])`, ``, "p.rego:2:22: rego_type_error: deprecated built-in function calls in expression: any")
	f(`deny contains "x" if startswith(input.score, "4")`, ``, "p.rego:2:22: rego_type_error: startswith: invalid argument(s)")
	f(`deny contains "x" if starts_with(input.request.path, "4")`, ``, `p.rego:2:22: there is no function starts_with: did you mean "startswith"?`)
	f(`deny contains "x" if http.send({})`, ``, `p.rego:2:22: http.send is not allowed in a policy: a request never waits`)
	f(`request_headers contains input.request.path`, ``, `p.rego:2:26: request_headers cannot hold this: it is a string`)
	f(`deny contains "x" if {`, ``, `p.rego:2:`)
	f("helper if input.anomalous\nother if helper\ndeny contains \"x\" if helper", ``, `note: "other" is used by no rule that wonted reads`)
	f(`deny contains "x" if input.anomalous`, `test_it if data.wonted.policy.denies`, `p_test.rego:2:12: data.wonted.policy.denies is not defined by any rule or data file: did you mean "deny"?`)
	f(`deny contains "x" if input.anomalous`, `test_it if data.wonted.policy.deny with input.identiy as 1`, `p_test.rego:2:41: input has no "identiy"`)
	f(`deny contains "x" if input.anomalous`, `test_it if { x := 1; true }`, `p_test.rego:2:14: rego_compile_error: assigned var x unused`)
	f(`deny contains "x" if input.anomalous`, `test_it if data.wonted.combine.decision.action == "deny" with input as data.wonted.test.input`)
}

func TestCheckWithoutAPolicy(t *testing.T) {
	for _, files := range []map[string]string{nil, {"a_test.rego": "package a"}, {"data.json": "{}"}} {
		if _, err := Check(write(t, files)); err == nil || !strings.Contains(err.Error(), "no .rego file in it") {
			t.Errorf("%v: %v", files, err)
		}
	}
}

// FuzzCheck: whatever somebody writes, what is wrong with it has a place.
func FuzzCheck(f *testing.F) {
	f.Add("deny contains \"x\" if { input.time.hour > 23; some w in {\"a\", 1}; input.request.method == w }")
	f.Add("a if b\nb if { x := input.response; x.status < 0; not x.size == null }\ndeny contains {\"reason\": sprintf(\"%v\", [input]), \"status\": count(input)} if a")
	f.Add("f(x) := y if { y := {k: v | some k, v in x} } else := input.score if every d in input.detectors { d in [1, 2.5, \"a\"] }\nrequest_headers contains f({}) with input as 1")
	f.Add("import data.x.y\nimport input.identity as who\nthrottle contains $\"{who.name}\" if 4 > who.requests\nallow contains 7\ndefault z := input")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := FromSource("p.rego", []byte("package wonted.policy\n"+text))
		ps := flatten(err)
		if err == nil {
			ps = append(e.Warnings(), e.Unmemoised()...)
		} else if len(ps) == 0 {
			t.Errorf("refused without a problem: %v", err)
		}
		for _, p := range ps {
			if p.File != "p.rego" && !strings.HasPrefix(p.Message, "no rule of the contract is defined") {
				t.Errorf("%v has no place", p)
			}
		}
	})
}
