package rego

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

func TestRecallFreesOfAllocations(t *testing.T) {
	byDefault, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	everyText := `deny contains "x" if input.request.headers.accept == "a"
deny contains "y" if input.request.query.q == "a"
deny contains "z" if input.source.network in {"a"}
deny contains "u" if input.source.address == "a"
deny contains "v" if input.identity.id == "a"
deny contains "n" if net.cidr_contains("10.0.0.0/8", input.source.address)
deny contains "r" if regex.match("^/v[0-9]+/[a-z]*/$", input.request.path)
deny contains "s" if input.request.segments[1] == "a"
deny contains "w" if input.request.content_type == "a"
deny contains "p" if input.request.id == "a"
inspect contains true if input.degraded == ["a"]
throttle contains input.request.method if input.identity.kind == "caller"`
	for name, e := range map[string]*Engine{"default": byDefault, "ten rules": must(t, tenRules), "texts": must(t, everyText)} {
		if reasons := e.Unmemoised(); len(reasons) > 0 {
			t.Errorf("%s: %v", name, reasons)
			continue
		}
		in := at(odd(sample(), map[scoring.Detector]float64{scoring.Takeover: 6, scoring.Rate: 1}), policy.PhaseRequest)
		in.Exchange.Headers[3].Value = []byte("application/json; charset=utf-8")
		in.Degraded = []string{"profiles"}
		want := decide(t, e, in)
		n := testing.AllocsPerRun(1000, func() {
			if got, ok := e.Recall(in); !ok || got != want {
				t.Fatalf("%s: recalled %v, %v", name, got, ok)
			}
		})
		if n >= 1 && !underRace {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestMemoIsBounded(t *testing.T) {
	e := must(t, `throttle contains input.request.method`) // whatever a client calls it
	in := at(sample(), policy.PhaseRequest)
	most := 0
	for i := range 2*maxRemembered + 10 {
		in.Exchange.Method = fmt.Appendf(nil, "M%d", i)
		decide(t, e, in)
		if got, ok := e.Recall(in); !ok || got.Reason != string(in.Exchange.Method) {
			t.Fatalf("%s is %v, %v just after its decision", in.Exchange.Method, got, ok)
		}
		most = max(most, e.Remembered())
	}
	if most != maxRemembered || e.Remembered() > 11 {
		t.Errorf("at most %d, now %d remembered", most, e.Remembered())
	}
	in.Exchange.Method = bytes.Repeat([]byte("M"), maxKey)
	decide(t, e, in)
	if _, ok := e.Recall(in); ok {
		t.Error("a key of any length is kept")
	}
}

func TestFailuresAreNotRemembered(t *testing.T) {
	e := must(t, `deny contains 7 if input.anomalous`)
	in := at(sample(), policy.PhaseRequest)
	in.Exchange.Assessment.Anomalous = true
	for range 2 {
		if _, err := e.Decide(t.Context(), in); err == nil {
			t.Fatal("a reason of 7 is accepted")
		}
		if d, ok := e.Recall(in); ok {
			t.Fatalf("remembered %+v", d)
		}
	}

	e = must(t, exploding[0])
	in = at(sample(), policy.PhaseRequest)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Decide(ended, in); err == nil {
		t.Fatal("a runaway policy has come to an end")
	}
	if d, ok := e.Recall(in); ok || len(e.Unmemoised()) > 0 {
		t.Fatalf("remembered %+v of a decision that was given up", d)
	}
}

// Many recall and decide while the table grows and is emptied.
func TestMemoAtOnce(t *testing.T) {
	e := must(t, `throttle contains input.request.method`)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			in := at(sample(), policy.PhaseRequest)
			for i := range maxRemembered {
				in.Exchange.Method = fmt.Appendf(nil, "M%d", i*(1+g)%(maxRemembered+500))
				d, ok := e.Recall(in)
				if !ok {
					d = &policy.Decision{Action: policy.Throttle, Reason: string(in.Exchange.Method)}
					e.remember(in, d)
				}
				if d.Reason != string(in.Exchange.Method) {
					t.Errorf("%s got the decision of %s", in.Exchange.Method, d.Reason)
					return
				}
			}
		})
	}
	wg.Wait()
}

// Of every memoised exchange the key's parts are read back in one way: values
// that follow each other are not taken for others.
func TestKeyPartsDoNotRunTogether(t *testing.T) {
	e := must(t, `throttle contains sprintf("%s %s %v", [input.request.method, input.request.scheme, input.degraded])`)
	seen := map[string]string{}
	f := func(method, scheme string, degraded ...string) {
		t.Helper()
		in := at(sample(), policy.PhaseRequest)
		in.Exchange.Method, in.Exchange.Scheme, in.Degraded = []byte(method), []byte(scheme), degraded
		v := new(view)
		v.look(in)
		key, ok := e.memo.append(v)
		what := fmt.Sprintf("%q %q %q", method, scheme, degraded)
		if other, known := seen[string(key)]; known || !ok {
			t.Errorf("%s has the key of %s", what, other)
		}
		seen[string(key)] = what
	}
	f("", "ab")
	f("a", "b")
	f("ab", "")
	f("\x01", "b")
	f("", "", "ab")
	f("", "", "a", "b")
	f("", "", "", "ab")
	f("", "")
}

// A cut stands where OPA's own comparison says.
func TestCut(t *testing.T) {
	n := 0
	for _, c := range []string{"4", "4.0", "0.3", "-0", "0", "1e3", "3.9999999", "-7.5", "9007199254740993", "1e-9", "123456789.125", "99999999999999999"} {
		constant := ast.Number(c)
		whole, ok1 := cutInt(constant)
		fine, ok2 := cutFloat(constant)
		if !ok1 || !ok2 {
			t.Fatalf("%s is no constant to cut at", c)
		}
		at, _ := plainNumber(constant)
		for _, x := range []float64{at, math.Nextafter(at, 99), math.Nextafter(at, -99), math.Floor(at), math.Ceil(at), at + 1, at - 1, -at, 0, math.Copysign(0, -1), 0.1, math.MaxFloat64, -math.MaxFloat64, 5e-324, 1 << 53, 1<<53 + 2} {
			n++
			if got, want := fine.of(rankFloat(x)), byte(equal+number(x).Value.Compare(constant)); got != want {
				t.Errorf("%v against %s: %d, want %d", x, c, got, want)
			}
			i := int64(max(-1<<62, min(x, 1<<62)))
			if got, want := whole.of(rankInt(i)), byte(equal+integer(i).Value.Compare(constant)); got != want {
				t.Errorf("%d against %s: %d, want %d", i, c, got, want)
			}
		}
	}
	if n < 150 {
		t.Errorf("%d comparisons", n)
	}
	for _, c := range []string{"1e400", "0.1234567890123456789", "12345678901234567890"} {
		if _, ok := cutFloat(ast.Number(c)); ok {
			t.Errorf("%s: OPA does not compare it exactly", c)
		}
	}
}

func TestUnmemoisedSaysWhere(t *testing.T) {
	e := must(t, `
deny contains "a" if input.anomalous
deny contains input.identity.id if {
	input.anomalous
}`)
	reasons := e.Unmemoised()
	if len(reasons) != 1 {
		t.Fatalf("%d reasons: %v", len(reasons), reasons)
	}
	want := "test.rego:4:15: input.identity.id is used as a value here, and it has too many values to remember decisions by: every request is evaluated. Compared with a constant it would do no harm (==, <, in, startswith, regex.match and the like)"
	if got := reasons[0].Error(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if e.Remembered() != 0 {
		t.Error("remembered nevertheless")
	}
}
