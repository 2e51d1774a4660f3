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

// doubling is a policy that makes a value larger forty times.
func doubling(first, step string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "deny contains \"x\" if {\n\tx0 := %s\n", first)
	for i := range 40 {
		fmt.Fprintf(&b, "\tx%d := %s\n", i+1, strings.ReplaceAll(step, "X", fmt.Sprintf("x%d", i)))
	}
	return b.String() + "\tcount(x40) > 3\n}\n"
}

// A policy that does not come to an end, or grows what it computes without
// bound, is ended by the deadline, before it has taken what a machine has.
func TestExplosionsEndAtTheDeadline(t *testing.T) {
	text := `concat("", [input.request.method, "aaaaaaaaaaaaaaaa"])`
	for name, source := range map[string]string{
		"a set of all combinations": "deny contains \"x\" if count({[a, b, c] | some a in r; some b in r; some c in r; a + b != c}) > 1\nr := numbers.range(1, 3000)\n",
		"a loop over all of them":   "deny contains \"x\" if { some a in r; some b in r; some c in r; a + b + c < count(input.request.method) }\nr := numbers.range(1, 3000)\n",
		"texts that double":         doubling(text, `concat("", [X, X])`),
		"arrays that double":        doubling(`[1, 2, input.request.method]`, `array.concat(X, X)`),
		"formats that double":       doubling(text, `sprintf("%s%s", [X, X])`),
		"replacements":              doubling(text, `replace(X, "a", "aaaa")`),
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
