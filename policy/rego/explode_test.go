package rego

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
)

// doubling is a policy that makes a value larger as many times.
func doubling(times int, first, step string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "deny contains \"x\" if {\n\tx0 := %s\n", first)
	for i := range times {
		fmt.Fprintf(&b, "\tx%d := %s\n", i+1, strings.ReplaceAll(step, "X", fmt.Sprintf("x%d", i)))
	}
	return b.String() + fmt.Sprintf("\tcount(x%d) > 3\n}\n", times)
}

// What is written out that is large only with the data that there is, or larger
// than a decision's time, is not begun.
func TestWhatIsTooLargeIsNotBegun(t *testing.T) {
	const million = "r := numbers.range(1, 1000)\nx := [r | some _ in r]\n"
	for _, last := range []string{
		`json.marshal(x) == "3"`,
		`json.marshal_with_options(x, {"pretty": true}) == "3"`,
		`yaml.marshal([x]) == "3"`,
		`sprintf("%v", [x]) == "3"`,
		`$"{x}" == "3"`,
		`strings.render_template("{{.x}}", {"x": x}) == "3"`,
		`json.marshal({"a": {x}}) == "3"`,
		`bits.lsh(1, 8000000000) > 3`,
		`bits.lsh(1, 1e12) > 3`,
		`bits.lsh(1, 80000 + count(input.request.method)) > 3`,
	} {
		d, err := must(t, million+"deny contains \"x\" if "+last).Decide(t.Context(), at(sample(), policy.PhaseRequest))
		if !errors.Is(err, errTooLarge) || !strings.Contains(err.Error(), "test.rego:4") {
			t.Errorf("%s: %v, %v", last, d, err)
		}
	}
	for _, last := range []string{
		`json.marshal(r) != "3"`,
		`sprintf("%v %d", [r, 5]) != "3"`,
		`bits.lsh(1, 100) > 3`,
		`not bits.lsh(1, 0.5)`,
	} {
		d, err := must(t, million+"deny contains \"x\" if "+last).Decide(t.Context(), at(sample(), policy.PhaseRequest))
		if err != nil || d.Action != policy.Deny {
			t.Errorf("%s: %v, %v", last, d, err)
		}
	}
}

func TestAnElementThatIsTooLargeIsNotShown(t *testing.T) {
	const billion = "r := numbers.range(1, 1000)\nx := [r | some _ in r]\ny := [x | some _ in r]\n"
	for _, element := range []string{"y", `{"reason": y}`, `{"reason": "r", "rollout": y}`, `{y: "reason"}`, `{"reason": "r", y: 1}`} {
		d, err := must(t, billion+"deny contains "+element).Decide(t.Context(), at(sample(), policy.PhaseRequest))
		if !errors.Is(err, policy.ErrContract) || !strings.Contains(err.Error(), "of more than a thousand values") {
			t.Errorf("%s: %v, %v", element, d, err)
		}
	}
}

// A policy that does not come to an end, or grows what it computes without
// bound, is ended by the deadline, before it has taken what a machine has.
func TestExplosionsEndAtTheDeadline(t *testing.T) {
	text := `concat("", [input.request.method, "aaaaaaaaaaaaaaaa"])`
	for name, source := range map[string]string{
		"a set of all combinations": "deny contains \"x\" if count({[a, b, c] | some a in r; some b in r; some c in r; a + b != c}) > 1\nr := numbers.range(1, 3000)\n",
		"a loop over all of them":   "deny contains \"x\" if { some a in r; some b in r; some c in r; a + b + c < count(input.request.method) }\nr := numbers.range(1, 3000)\n",
		"texts that double":         doubling(40, text, `concat("", [X, X])`),
		"arrays that double":        doubling(12, `numbers.range(1, 10000 + count(input.request.method))`, `array.concat(X, X)`),
		"formats that double":       doubling(40, text, `sprintf("%s%s", [X, X])`),
		"replacements":              doubling(40, text, `replace(X, "a", "aaaa")`),
		"a huge range":              "deny contains \"x\" if count(numbers.range(1, 1000000000)) > count(input.request.method)",
	} {
		e := must(t, source)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		d, err := e.Decide(ctx, at(sample(), policy.PhaseRequest))
		cancel()
		runtime.ReadMemStats(&after)
		took := (after.TotalAlloc - before.TotalAlloc) >> 20
		t.Logf("%s: %d MiB allocated", name, took)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, %v", name, d, err)
		}
		if took > 4096 {
			t.Errorf("%s: %d MiB allocated", name, took)
		}
	}
}
