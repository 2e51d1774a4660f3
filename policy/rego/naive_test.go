package rego

import (
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

// TestMemoIsNotNaive: policies for which a memo that looked at the source, or
// took OPA for something simpler than it is, would remember wrong decisions.
// Each says of its culprits, as "row path", why it cannot be remembered; with
// none it is, and agrees with evaluation.
func TestMemoIsNotNaive(t *testing.T) {
	f := func(text string, culprits ...string) {
		t.Helper()
		m, err := ast.ParseModuleWithOpts("p.rego", "package wonted.policy\n"+text, ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		e, err := newEngine(map[string]*ast.Module{"p.rego": m}, baseData())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var got []string
		for _, p := range e.Unmemoised() {
			path, _, _ := strings.Cut(p.Message, " ")
			got = append(got, strings.Repeat("|", p.Row-1)+path)
		}
		if strings.Join(got, " ") != strings.Join(culprits, " ") {
			t.Errorf("%s\nis not remembered because of %q, want %q", text, got, culprits)
		}
		if e.memo == nil {
			return
		}
		var tr trial
		d := seeded(1)
		for range 400 {
			in := anInput(d)
			if complaint := tr.agree(e, in); complaint != "" {
				t.Fatalf("%s\n%s\ninput %s", text, complaint, wholeInput(in))
			}
		}
		if tr.hits < 100 {
			t.Errorf("%s\nonly %d of 400 decisions were remembered", text, tr.hits)
		}
	}

	// What stands before a not, and what within: undefined is not false.
	f(`deny contains "x" if not input.mode == input.phase`)
	f(`deny contains "x" if not input.score == input.threshold`, "|input.score", "|input.threshold")
	f(`deny contains "x" if not input.score >= input.threshold`)
	f(`deny contains "x" if not input.detectors.rate > 3`)
	f(`deny contains "x" if not input.request.headers["x-a"]`)
	f(`deny contains "x" if not input.identity.verified`)
	f(`deny contains "x" if not startswith(input.request.path, "/a")`)
	f(`deny contains "x" if not input.request.headers["x-a"] in {"a", "b"}`)
	f(`deny contains "x" if { x := input.response; not x.status > 100 }`)
	f(`deny contains "x" if { x := startswith(input.device.user_agent, "a"); not x }`)

	// Across types there is an order, and no error.
	f(`deny contains "x" if input.score < "a"`)
	f(`deny contains "x" if input.request.host > 3`)
	f(`deny contains "x" if input.identity.verified > false`)
	f(`deny contains "x" if input.score in {"a", 4, [4]}`)
	f(`deny contains "x" if input.request.host == 4`)
	f(`deny contains "x" if input.score != null`)

	// Numbers as OPA writes and compares them.
	f(`deny contains "x" if input.score >= 4`)
	f(`deny contains "x" if input.score == 4.0`)
	f(`deny contains "x" if input.score > 3.9999999`)
	f(`deny contains "x" if input.score == 0.3`)
	f(`deny contains "x" if input.score > 0.29999999999999999999999999999`, "|input.score")
	f(`deny contains "x" if input.score < 1e21`)
	f(`deny contains "x" if input.time.hour in [0, 1, 22, 23.0]`)

	// A value that flows further.
	f(`deny contains "x" if { x := input.request.path; f(x) }
f(x) if x == "a"`, "|input.request.path")
	f(`deny contains "x" if f(input.mode)
f(x) if x == "shadow"`)
	f(`deny contains "x" if { x := input.request.path; x == "a"; y := x; y }`, "|input.request.path")
	f(`deny contains "x" if { x := input.request.path; {x} == {"a"} }`, "|input.request.path")
	f(`deny contains "x" if { some x in {"a", "b"}; x == input.request.path }`, "|input.request.path")
	f(`deny contains "x" if { every x in ["a", "b"] { input.request.path > x } }`)
	f(`deny contains "x" if { every x in input.degraded { input.request.path > x } }`, "|input.request.path")
	f(`deny contains "x" if { some x in {"/a", "b"}; startswith(input.request.path, x) }`)
	f(`deny contains x if { some x in data.base.list; startswith(input.request.path, x) }`, "|input.request.path") // not all are strings
	f(`deny contains x if { some x in data.base.numbers; input.score > x }`)
	f(`deny contains "x" if { not f("/a"); some x in {"/a", "b"}; f(x) }
f(x) if startswith(input.request.path, x)`, "||input.request.path")
	f(`deny contains sprintf("%v", [x]) if { x := 4; input.score > x }`)
	f(`deny contains sprintf("%v", [x]) if { x := data.base.limit; input.score > x }`)
	f(`deny contains "x" if { count([1 | x = 4; x = input.score]) == 1 }`)
	f(`deny contains "x" if { x = input.time.hour; count([1 | x = 4]) == 0; input.score > x }`, "|input.score")
	f(`deny contains "x" if { x = y; y = input.score; count([1 | x = 4]) == 0; input.threshold > x }`, "|input.score", "|input.threshold")
	f(`deny contains "x" if input.score + 1 > 3`, "|input.score")
	f(`deny contains "x" if lower(input.request.host) == "a"`, "|input.request.host")
	f(`deny contains "x" if { [input.request.host, 1] == ["a", 1] }`, "|input.request.host")
	f(`deny contains "x" if { x = input.request.host; x = input.identity.name }`, "|input.identity.name", "|input.request.host")
	f(`deny contains "x" if h == "a"
h := input.request.host if input.anomalous else := "a"`, "||input.request.host")
	f(`deny contains "x" if h == "shadow"
h := input.mode if input.anomalous else := "a"`)
	f(`deny contains "x" if startswith("abc", input.request.host)`, "|input.request.host")
	f(`deny contains "x" if "a" in input.request.segments`, "|input.request.segments")
	f(`deny contains "x" if "a" in input.degraded`)

	f("deny contains \"x\" if regex.match(`^/a`, input.request.path)")
	f("deny contains \"x\" if not regex.match(`^/a`, input.request.headers[\"x-a\"])")
	f("deny contains \"x\" if { x := regex.match(`(`, input.request.path); not x }")
	f("deny contains \"x\" if regex.match(input.request.host, \"a\")", "|input.request.host")
	f("deny contains \"x\" if regex.match(`^/a`, input.score)", "|input.score")
	f(`deny contains "x" if net.cidr_contains("10.0.0.0/24", input.source.address)`)
	f(`deny contains "x" if { some n in {"10.0.0.0/24", "2001:db8::/32"}; net.cidr_contains(n, input.source.address) }`)
	f(`deny contains "x" if not net.cidr_contains("fe80::/16", input.source.address)`)
	f(`deny contains "x" if net.cidr_contains("10.0.0.0/8", input.source.network)`, "|input.source.network")

	// Names that evaluation finds.
	f(`deny contains "x" if input.detectors[_] > 3`)
	f(`deny contains d if { some d; input.detectors[d] > 3 }`)
	f(`deny contains d if { some d, s in input.detectors; s > 3 }`)
	f(`deny contains "x" if { some d, s in input.detectors; s > 3; s < input.threshold }`)
	f(`deny contains "x" if { some d in input.degraded; input.detectors[d] }`)
	f(`deny contains "x" if input.detectors[input.mode] > 3`)
	f(`deny contains "x" if input.detectors[input.request.host] > 3`, "|input.request.host")
	f(`deny contains "x" if count(input.detectors) > 1`, "|input.detectors")
	f(`deny contains "x" if input.request.segments[0] == "a"`)
	f(`deny contains "x" if not input.request.segments[1] == "b"`)
	f(`deny contains "x" if { x := input.request.segments; x[0] == "a" }`)
	f(`deny contains input.request.segments[0] if input.anomalous`, "|input.request.segments[0]")
	f(`deny contains "x" if input.request.segments[0.0] == "a"`, "|input.request.segments[0.0]")
	f(`deny contains "x" if { some i; input.request.segments[i] == "a" }`, "|input.request.segments")
	f(`deny contains "x" if input.request[input.mode] == "a"`, "|input.request")
	f(`deny contains "x" if { some k; input[k] == "a" }`, "|input")
	f(`deny contains "x" if input.request.headers[_] == "a"`, "|input.request.headers")
	f(`deny contains "x" if { x := input.detectors; x.rate > 3 }`)
	f(`deny contains "x" if { x := input.identity; object.get(x, "id", "") == "a" }`, "|input.identity")

	// All of it, or parts of parts.
	f(`deny contains "x" if count(input.evidence) > 1`, "|input.evidence")
	f(`deny contains "x" if { some e in input.evidence; e.detector == "rate" }`, "|input.evidence")
	f(`deny contains "x" if object.get(input, ["request", "method"], "") == "a"`, "|input")
	f(`deny contains "x" if { walk(input.time, [_, "Monday"]) }`, "|input.time")
	f(`deny contains "x" if json.marshal(input) == ""`, "|input")
	f(`deny contains "x" if input.score.deeper`, "|input.score.deeper")
	f(`deny contains "x" if { input.identity == {"id": "a"} }`, "|input.identity")

	// What comes out may be as many as what goes in.
	f(`deny contains input.identity.id if input.anomalous`, "|input.identity.id")
	f(`deny contains input.severity if input.anomalous`)
	f(`deny contains sprintf("%v", [input.score]) if input.anomalous`, "|input.score")
	f(`deny contains $"score {input.score}" if input.anomalous`, "|input.score")
	f(`request_headers contains {"name": "x-path", "value": input.request.path}`, "|input.request.path")
	f(`response_budget contains {"records": input.identity.requests}`, "|input.identity.requests")
	f(`deny contains h
h[x] := y if { x := "a"; y := input.request.host }`, "||input.request.host")
	f(`deny contains "x" if h[input.mode]
h[x] if { x := input.request.host }`, "||input.request.host")

	// Data.
	f(`deny contains "x" if input.request.host in data.base.list`)
	f(`deny contains "x" if input.score in data.base.numbers`)
	f(`deny contains "x" if data.base.table[input.request.host]`)
	f(`deny contains "x" if not data.base.table[input.request.method]`)
	f(`deny contains "x" if data.base.list[input.request.host]`, "|input.request.host") // "1" finds the second
	f(`deny contains "x" if data.base[input.request.host]`)
	f(`deny contains "x" if data.base.table[input.request.host] == true`, "|input.request.host")
	f(`deny contains "x" if input.request.host in data.base.missing`, "|input.request.host")
	f(`deny contains "x" if input.request.host in data.base`)
	f(`deny contains "x" if input.score > data.base.limit`)
	f(`deny contains "x" if data.base.byroute[input.request.route] > 3`)
	f(`deny contains "x" if input.request.host in words
words contains "a"
words contains "b" if input.anomalous`, "|input.request.host")
	f(`deny contains "x" if input.request.host in words
words contains "a"
words contains "b"`)
	f(`deny contains "x" if { x = words; input.request.host in x; x = {"a"} }
words := {"a"}`, "|input.request.host")

	// Under another input, or other functions.
	f(`deny contains "x" if h with input.score as 5
h if input.score > 4`, "|`with`")
	f(`deny contains "x" if h with data.base.limit as 5
h if input.score > data.base.limit`, "|`with`")
	f(`deny contains "x" if h with startswith as true
h if startswith(input.request.host, "b")`, "|`with`")

	// Rules that nothing of the contract refers to do no harm.
	f(`deny contains "x" if input.anomalous
unused if count(input) > 3
test_me if h with input as {}
h if walk(input, [_, 3])`)
	f(`deny contains "x" if crypto.x509.parse_and_verify_certificates(input.mode)`, "|crypto.x509.parse_and_verify_certificates")
	f(`deny contains "x" if { print(input.request.path); input.anomalous }`)
	f(`deny contains "x"`)
	f(`nobody_asks := 1`)
}
