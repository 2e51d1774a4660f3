package rego

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// dice make policies and inputs: from a seed, or from the bytes of a fuzzer.
type dice struct {
	random *rand.Rand
	bytes  []byte
}

func seeded(seed uint64) *dice { return &dice{random: rand.New(rand.NewPCG(seed, 1))} }

func (d *dice) roll(n int) int {
	if d.random != nil {
		return d.random.IntN(n)
	}
	if len(d.bytes) == 0 {
		return 0
	}
	b := d.bytes[0]
	d.bytes = d.bytes[1:]
	return int(b) % n
}

// rolled draws the numbers of one input; a fuzzer gives its bytes to the policy
// and one number to the inputs.
func (d *dice) rolled() uint64 {
	if d.random != nil {
		return d.random.Uint64()
	}
	var b [8]byte
	d.bytes = d.bytes[copy(b[:], d.bytes):]
	return binary.LittleEndian.Uint64(b[:])
}

func (d *dice) of(choices ...string) string { return choices[d.roll(len(choices))] }

// one calls one of the alternatives.
func (d *dice) one(alternatives ...func() string) string {
	return alternatives[d.roll(len(alternatives))]()
}

// What policies compare with and what inputs hold come from the same few
// values, or nothing would ever be equal.
var (
	someStrings = []string{"", "a", "ab", "abc", "b", "GET", "POST", "/a", "/a/b", "/a/c", "ba", "\xff", "é", "caller", "10.0.0.0/24", "10.0.0.7", "00000000000000010000000000000002", "rate", "hour", "1", "true", "none", "high", "shadow", "response", "Monday"}
	someNumbers = []float64{0, 1, 2, 3, 3.9999999, 4, 4.0000001, 5, 0.1, 0.30000000000000004, 0.3, 12, 200, 404, 14, 1e21, -1, 1772461800}
	odder       = []float64{math.NaN(), math.Inf(1), math.Copysign(0, -1), 1e-300, 5e-324, math.MaxFloat64, math.Pi, 1 << 53, 1<<53 + 2}
)

// grammar writes policies.
type grammar struct {
	*dice
	n       int // variables so far
	depth   int
	helpers int  // that are there to be referred to: OPA refuses recursion
	tame    bool // mostly what the memo understands: the wild ones are hardly ever memoised
}

// wild adds the alternatives that a tame policy does not take.
func (g *grammar) wild(tame, wild []func() string) string {
	if !g.tame {
		tame = append(tame, wild...)
	}
	return g.one(tame...)
}

func (g *grammar) variable() string { g.n++; return fmt.Sprintf("v%d", g.n) }

var (
	flags    = []string{"input.anomalous", "input.identity.mature", "input.identity.verified", "input.identity.contested", "input.device.known"}
	decimals = []string{"input.score", "input.threshold", "input.identity.risk", "input.detectors.rate", "input.detectors.hour", "input.detectors.takeover"}
	counts   = []string{"input.time.hour", "input.time.unix", "input.response.status", "input.response.size", "input.response.records", "input.request.size", "input.identity.requests", "input.identity.age_s", "input.identity.auth_age", "input.version", "input.score_version"}
	texts    = []string{
		"input.request.path", "input.request.method", "input.request.host", "input.request.route", "input.request.scheme", "input.identity.id", "input.identity.kind",
		"input.identity.name", "input.identity.acr", "input.source.address", "input.source.network", "input.source.country", "input.device.user_agent", "input.device.id",
		`input.request.headers["x-a"]`, "input.request.headers.accept", "input.request.query.q", "input.request.content_type", "input.request.segments[0]", "input.request.segments[1]", "input.mode", "input.phase", "input.severity", "input.strongest", "input.time.weekday",
	}
	objects = []string{"input", "input.request", "input.identity", "input.response", "input.detectors", "input.evidence", "input.degraded", "input.request.segments", "input.request.headers", "input.intel", "input.time", "input.score.deep"}
	nothing = []string{"input.nothing", "input.identity.nothing", "input.detectors.nobody", "input.request.nothing.at.all"}
)

func (g *grammar) number() string {
	return fmt.Sprintf("%v", someNumbers[g.roll(len(someNumbers))])
}

func (g *grammar) text() string {
	return fmt.Sprintf("%q", strings.ToValidUTF8(g.of(someStrings...), "z"))
}

func (g *grammar) literal() string {
	return g.one(g.number, g.number, g.text, g.text, func() string {
		return g.of("true", "false", "null", "1.0", "4e0", "[]", `["a", 1]`, "{}", "set()", "123456789012345678901234567890")
	})
}

// scalar is a value of input; the pairs of type and literal that make sense are
// the likelier ones.
func (g *grammar) scalar() string {
	return g.wild([]func() string{
		func() string { return g.of(flags...) }, func() string { return g.of(decimals...) }, func() string { return g.of(counts...) },
		func() string { return g.of(texts...) }, func() string { return g.of(texts...) }, func() string { return g.of(decimals...) },
		func() string { return g.of(nothing...) },
	}, []func() string{
		func() string { return g.of(objects...) },
	})
}

func (g *grammar) operator() string { return g.of("==", "!=", "<", "<=", ">", ">=") }

func (g *grammar) collection() string {
	return g.one(
		func() string { return fmt.Sprintf("{%s, %s, %s}", g.literal(), g.literal(), g.literal()) },
		func() string { return fmt.Sprintf("[%s, %s, %s]", g.literal(), g.text(), g.number()) },
		func() string { return fmt.Sprintf("{%s: %s, \"k\": %s}", g.text(), g.literal(), g.literal()) },
		func() string {
			return g.of("data.base.list", "data.base.table", "data.base.numbers", "words", "more", "data.wonted.policy.words", "computed", "data.base.missing", "data.base.limit")
		},
	)
}

// compared is one comparison of a value with a constant or another value.
func (g *grammar) compared() string {
	return g.wild([]func() string{
		func() string { return g.scalar() },
		func() string { return fmt.Sprintf("%s %s %s", g.of(decimals...), g.operator(), g.number()) },
		func() string { return fmt.Sprintf("%s %s %s", g.of(counts...), g.operator(), g.number()) },
		func() string { return fmt.Sprintf("%s %s %s", g.of(texts...), g.operator(), g.text()) },
		func() string { return fmt.Sprintf("%s %s %s", g.scalar(), g.operator(), g.literal()) },
		func() string { return fmt.Sprintf("%s %s %s", g.literal(), g.operator(), g.scalar()) },
		func() string { return fmt.Sprintf("%s %s %s", g.of(decimals...), g.operator(), g.of(decimals...)) },
		func() string { return fmt.Sprintf("%s %s data.base.limit", g.scalar(), g.operator()) },
		func() string {
			return fmt.Sprintf("%s(%s, %s)", g.of("startswith", "endswith", "contains"), g.of("input.request.host", "input.request.path", g.of(texts...)), g.of(`"a"`, `"b"`, g.text()))
		},
		func() string {
			return fmt.Sprintf("%s(%s, %s)", g.of("startswith", "endswith", "contains"), g.of("input.request.host", "input.request.path", g.of(texts...)), g.of(`"a"`, `"b"`, g.text()))
		},
		func() string { return fmt.Sprintf("%s in %s", g.scalar(), g.collection()) },
		func() string { return fmt.Sprintf("%s in %s", g.of(texts...), g.collection()) },
		func() string {
			return fmt.Sprintf("regex.match(%s, %s)", g.of("`^/a`", "`b$`", "`^.$`", "`(`", g.text(), g.literal()), g.of("input.request.path", "input.request.host", g.scalar()))
		},
		func() string {
			return fmt.Sprintf("net.cidr_contains(%s, input.source.%s)", g.of(`"10.0.0.0/24"`, `"10.0.0.0/8"`, `"2001:db8::/32"`, `"::/0"`, `"::ffff:10.0.0.0/104"`, `"10.0.0.7"`, g.literal()), g.of("address", "address", "network"))
		},
		func() string {
			return fmt.Sprintf("%s[%s]", g.of("data.base.table", "words", "more", "computed", "data.base.list"), g.of("input.request.method", "input.request.host", g.scalar()))
		},
		func() string { return helpers[g.roll(max(1, g.helpers))] },
	}, []func() string{
		func() string { return fmt.Sprintf("%s %s %s", g.scalar(), g.operator(), g.scalar()) },
		func() string {
			return fmt.Sprintf("%s(%s, %s)", g.of("startswith", "endswith", "contains"), g.text(), g.scalar())
		},
		func() string { return fmt.Sprintf("%s(%s)", g.of("f", "g"), g.of(g.literal(), g.scalar())) },
		func() string { return fmt.Sprintf("%s in [%s, %s]", g.literal(), g.scalar(), g.literal()) },
	})
}

// condition is one or more lines of a body.
func (g *grammar) condition() string {
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 3 {
		return g.compared()
	}
	v, w := g.variable(), g.variable()
	return g.wild([]func() string{
		g.compared, g.compared, g.compared, g.compared, g.compared,
		func() string { return "not " + g.compared() },
		func() string { return "not " + g.compared() },
		func() string { return fmt.Sprintf("%s := %s\n\t%s %s %s", v, g.scalar(), v, g.operator(), g.literal()) },
		func() string {
			return fmt.Sprintf("%s := %s\n\t%s %s %s\n\tnot %s %s %s", v, g.scalar(), v, g.operator(), g.literal(), v, g.operator(), g.literal())
		},
		func() string {
			return fmt.Sprintf("%s = %s\n\t%s = %s", v, g.scalar(), v, g.of(g.scalar(), g.literal()))
		},
		func() string {
			return fmt.Sprintf("%s := %s\n\t%s", v, g.compared(), g.of(v, "not "+v, v+" == false", v+" == true"))
		},
		func() string {
			return fmt.Sprintf("%s := input.request\n\t%s%s.%s == %s", v, g.of("", "not "), v, g.of("path", "method", "host", "headers.accept", "nothing"), g.text())
		},
		func() string {
			return fmt.Sprintf("%s := input.response\n\t%s%s.%s > %s", v, g.of("", "not "), v, g.of("status", "size", "records"), g.number())
		},
		func() string {
			return fmt.Sprintf("input.detectors[%s] %s %s", g.of("_", v, `"rate"`), g.operator(), g.number())
		},
		func() string {
			return fmt.Sprintf("some %s in [\"rate\", \"hour\", 1]\n\tinput.detectors[%s] %s %s", v, v, g.operator(), g.of("input.threshold", g.number()))
		},
		func() string {
			return fmt.Sprintf("some %s, %s in input.detectors\n\t%s %s %s\n\t%s != \"rate\"", v, w, w, g.operator(), g.number(), v)
		},
		func() string {
			return fmt.Sprintf("every %s in %s { %s %s %s }", v, g.of("[1, 3, 4]", `{"a", "GET"}`, g.collection()), g.scalar(), g.operator(), v)
		},
		func() string {
			return fmt.Sprintf("some %s in %s\n\t%s%s %s %s", v, g.collection(), g.of("", "not "), g.scalar(), g.operator(), v)
		},
		func() string {
			return fmt.Sprintf("some %s in %s\n\t%sstartswith(%s, %s)\n\t%s", v, g.of(`{"/a", "a", "b"}`, `["", "/a/b"]`, "data.base.list", "words"), g.of("", "not "), g.of("input.request.path", g.of(texts...)), v, g.of("true", "f("+v+")", v+` != "a"`))
		},
		func() string {
			return fmt.Sprintf("%s := %s\n\t%s %s %s", v, g.of("data.base.limit", g.literal()), g.scalar(), g.operator(), v)
		},
		func() string {
			return fmt.Sprintf("%s = %s\n\tcount([1 | %s = %s]) %s 0", v, g.scalar(), v, g.of("4", `"a"`, w), g.of("==", ">"))
		},
		func() string { return fmt.Sprintf("count([1 | %s]) %s 0", g.condition(), g.of("==", ">")) },
		func() string { return fmt.Sprintf("{%s | some %s in {1, 2}; %s} == {1, 2}", v, v, g.condition()) },
		func() string {
			return fmt.Sprintf("every %s in %s { %s; %s != 7 }", v, g.of("[1, 2]", "[]", "input.degraded"), g.compared(), v)
		},
	}, []func() string{
		func() string {
			return fmt.Sprintf("%s := %s\n\t%s := %s\n\t%s", v, g.scalar(), w, v, g.of(w, w+" > 3", w+` == "a"`))
		},
		func() string {
			return fmt.Sprintf("every %s in [1, 3, 4] { %s %s %s }", v, g.scalar(), g.operator(), v)
		},
		func() string {
			return fmt.Sprintf("{\"k\": %s | %s := %s} == {\"k\": %s}", v, v, g.scalar(), g.literal())
		},
		func() string { return fmt.Sprintf("[%s, 1] == [%s, 1]", g.scalar(), g.literal()) },
		func() string { return fmt.Sprintf(`object.get(input, ["request", "method"], "x") == %s`, g.text()) },
		func() string {
			return fmt.Sprintf("%s with %s as %s", g.compared(), g.of("input.score", "input.mode", "input", "input.request.method", "data.base.list", "data.base.limit"), g.of(g.literal(), g.of(texts...)))
		},
		func() string { return fmt.Sprintf("input.request.segments[%s] == %s", g.of("0", "1", "_"), g.text()) },
		func() string {
			return fmt.Sprintf("some %s\n\tinput.%s[%s] == %s", v, g.of("request", "identity", "time", "request.headers"), v, g.text())
		},
		func() string { return fmt.Sprintf("lower(%s) %s %s", g.of(texts...), g.operator(), g.text()) },
		func() string { return fmt.Sprintf("count(%s) %s 1", g.of(append(texts, objects...)...), g.operator()) },
		func() string {
			return fmt.Sprintf("some %s in input.evidence\n\t%s.score %s %s", v, v, g.operator(), g.number())
		},
		func() string {
			return fmt.Sprintf("data.base.byroute[%s] %s %s", g.of(texts...), g.operator(), g.number())
		},
		func() string { return fmt.Sprintf("%s + 1 %s %s", g.of(counts...), g.operator(), g.number()) },
		func() string {
			return fmt.Sprintf("walk(%s, [_, %s])\n\t%s == %s", g.of("input.time", "input.identity", "data.base"), v, v, g.literal())
		},
	})
}

func (g *grammar) body() string {
	lines := []string{g.condition()}
	for g.roll(3) == 0 && len(lines) < 3 {
		lines = append(lines, g.condition())
	}
	return "{\n\t" + strings.Join(lines, "\n\t") + "\n}"
}

// head is what a contract rule contains.
func (g *grammar) head() string {
	reason := g.of(`"one"`, `"two"`, "input.time.weekday", g.of(texts...), `sprintf("%v", [`+g.scalar()+`])`, `$"it is {`+g.scalar()+`}"`)
	if g.tame || g.roll(3) > 0 {
		reason = fmt.Sprintf("%q", fmt.Sprint("rule ", g.n))
	}
	return g.one(
		func() string { return g.of("deny", "challenge", "throttle", "allow") + " contains " + reason },
		func() string {
			return fmt.Sprintf(`%s contains {"reason": %s, "status": %s}`, g.of("deny", "challenge"), reason, g.of("403", "404", "input.response.status"))
		},
		func() string {
			return fmt.Sprintf(`response_budget contains {"records": %s}`, g.of("10", "1000", "input.time.hour"))
		},
		func() string {
			return fmt.Sprintf(`%s contains {"name": "x-a", "value": %s}`, g.of("request_headers", "response_headers"), g.of(`"a"`, "input.request.method", "input.severity", "input.mode", "input.response.status"))
		},
		func() string { return `remove_request_headers contains ` + g.of(`"x-b"`, `"cookie"`) },
		func() string {
			return `quarantine contains {"entity": "credential", "ttl": ` + g.of(`"15m"`, `"1h"`) + `}`
		},
		func() string { return `severity contains ` + g.of(`"low"`, `"high"`, "input.severity") },
		func() string { return `inspect contains true` },
	)
}

// helpers are conditions on the rules that every module begins with.
var helpers = []string{"true", "h0", "h1", "h2", `h2 == "shadow"`, "h3 == 2", "h3 == 3", `h4.a == 1`, `h4.b > 0`}

// policy writes a module.
func (g *grammar) policy() string {
	g.tame = g.roll(4) > 0
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\nwords := {\"a\", \"GET\", \"10.0.0.0/24\", 4, 3.9999999}\nmore contains \"b\"\nmore contains %s\n", Package, g.literal())
	b.WriteString("computed contains x if some x in data.base.list\n")
	fmt.Fprintf(&b, "f(x) if x == %s\nf(x) if x > %s\ng(x) := y if { y := x } else := false\n", g.literal(), g.number())
	fmt.Fprintf(&b, "default h0 := false\nh0 if %s\n", g.body())
	g.helpers = 2
	fmt.Fprintf(&b, "default h1 := %s\nh1 if not %s\n", g.literal(), g.compared())
	g.helpers = 3
	fmt.Fprintf(&b, "h2 := input.mode if {\n\t%s\n}\n", g.compared())
	g.helpers = 5
	fmt.Fprintf(&b, "h3 := 2 if {\n\t%s\n} else := 3 if %s else := 4\n", g.compared(), g.body())
	g.helpers = 7
	fmt.Fprintf(&b, "h4[x] := 1 if {\n\tsome x in {\"a\", \"b\"}\n\t%s\n}\n", g.compared())
	g.helpers = len(helpers)
	for range 1 + g.roll(4) {
		fmt.Fprintf(&b, "%s if %s\n", g.head(), g.body())
	}
	return b.String()
}

// baseData is what generated policies find at data.base.
func baseData() map[string]any {
	return map[string]any{"base": map[string]any{
		"list":    []any{"a", "POST", "é", 4.0, true},
		"numbers": []any{1.0, 3.9999999, 200.0},
		"table":   map[string]any{"a": true, "GET": false, "b": nil, "10.0.0.7": 1.0},
		"byroute": map[string]any{"a": 3.0, "b": 5.0},
		"limit":   4.0,
	}}
}

// anInput is an exchange and what else decisions are based on.
func anInput(d *dice) *policy.Input {
	ex := &scoring.Exchange{
		ID:   scoring.ID{byte(d.roll(256))},
		Time: time.Date(2026, 3, 1+d.roll(3), d.roll(24), 30, 0, 0, time.UTC),
	}
	bytes := func() []byte { return []byte(d.of(someStrings...)) }
	count := func() int64 { return int64(d.roll(7)*100) - 1 }
	decimal := func() float64 {
		if d.roll(12) == 0 {
			return odder[d.roll(len(odder))]
		}
		if d.roll(3) == 0 {
			return float64(d.roll(1000)) / 77
		}
		return someNumbers[d.roll(len(someNumbers))]
	}
	flip := func() bool { return d.roll(2) == 1 }

	ex.Method, ex.Scheme, ex.Host, ex.Path = []byte(d.of("GET", "POST", "a")), bytes(), bytes(), bytes()
	ex.Path = append(ex.Path, d.of("", "", "?q=a", "?q=a&q=b", "?q=%61b&x=1", "?q=%zz", "?q=a+b&%71=c")...)
	ex.Route.Name = d.of("GET /a", "a", "b", "")
	ex.RequestBytes, ex.ResponseBytes, ex.Records = count(), count(), count()
	ex.Status = []int{0, 200, 404, 500}[d.roll(4)]
	for range d.roll(4) {
		ex.Headers = append(ex.Headers, scoring.Header{Name: []byte(d.of("x-a", "accept", "user-agent", "content-type")), Value: append(bytes(), d.of("", ";q=1", "B")...)})
	}
	ex.Address = []netip.Addr{{}, netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("10.0.1.7"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("::ffff:10.0.0.7"), netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("fe80::1")}[d.roll(7)]
	ex.Country = []byte(d.of("", "DE", "a"))
	ex.Contested = flip()
	if flip() {
		ex.ACR, ex.AuthTime = bytes(), ex.Time.Unix()-int64(d.roll(7)*50)+100
	}
	for _, k := range []profile.Kind{profile.KindCaller, profile.KindDevice, profile.KindAddress} {
		if flip() {
			ex.Entities[k] = scoring.Identity{Kind: k, Key: profile.Key{Hi: 1, Lo: uint64(d.roll(3))}, Name: bytes(), Verified: flip()}
		}
	}
	a := &ex.Assessment
	a.Score, a.Threshold, a.Anomalous = decimal(), decimal(), flip()
	if a.Risk = decimal(); flip() {
		a.Cohort = d.of("person", "a")
	}
	a.Mature, a.Known, a.Requests, a.Age = flip(), flip(), uint32(d.roll(5)), time.Duration(d.roll(5))*time.Second
	for range d.roll(4) {
		a.Evidence = append(a.Evidence, scoring.Evidence{Detector: scoring.Detector(d.roll(scoring.Detectors)), Entity: profile.KindCaller, Score: decimal(), Unit: "requests"})
	}
	in := &policy.Input{Exchange: ex, Phase: policy.Phase(d.roll(3)), Mode: policy.Mode(d.roll(2)), Now: ex.Time.Add(time.Duration(d.roll(3)) * time.Second)}
	if d.roll(3) == 0 {
		in.Degraded = []string{d.of("profiles", "a")}
	}
	return in
}
