package rego

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
)

// explosions are policies of n lines that each put more into the next.
var explosions = map[string]func(n int) string{
	"arrays":           inBody(`[X, X]`, `count(X) > 3`),
	"objects":          inBody(`{"a": X, "b": X}`, `count(X) > 3`),
	"sets":             inBody(`{[1, X], [2, X]}`, `count(X) > 3`),
	"elements":         inBody(`[[X, X]][0]`, `count(X) > 3`),
	"calls":            withFunction(`f(x) := [x, x]`, inBody(`f(X)`, `count(X) > 3`)),
	"calls in calls":   functions,
	"comprehensions":   inBody(`[y | y := X; some _ in [1, 2]]`, `json.marshal(X) == "3"`),
	"cross products":   inBody(`{[y, z] | some y in [X]; some z in [X]}`, `count(X) > 3`),
	"concatenations":   inBody(`array.concat([X], [X])`, `sprintf("%v", [X]) == "3"`),
	"joined arrays":    inBody(`array.concat(X, X)`, `json.marshal(X) == "3"`),
	"walks":            inBody(`array.concat([X], [X])`, `walk(X, [p, 3])`),
	"unions":           inBody(`object.union({"a": X}, {"b": X})`, `json.marshal(X) == "3"`),
	"patches":          inBody(`json.patch({}, [{"op": "add", "path": "/a", "value": X}, {"op": "add", "path": "/b", "value": X}])`, `json.marshal(X) == "3"`),
	"replaced inputs":  withFunction(`same := input`, inBody(`same with input as [X, X]`, `json.marshal(X) == "3"`)),
	"rules":            inRules(`[X, X]`, `deny contains "x" if count(X) > 3`),
	"rules written":    inRules(`[X, X]`, `deny contains "x" if json.marshal(X) == "3"`),
	"rules printed":    inRules(`[X, X]`, `deny contains $"{X}"`),
	"rules compared":   inRules(`[X, X]`, `deny contains "x" if X == [input, input]`),
	"rules as reasons": inRules(`[X, X]`, `deny contains X`),
	"set rules":        inRules(`{[y, y] | some y in {X}}`, `deny contains "x" if count(X) > 3`),
	"else":             inRules("[] if input.score > 99\nelse := [X, X]", `deny contains "x" if count(X) > 3`),
}

const first = `[input.request.method, 1]`

func inBody(step, last string) func(n int) string {
	return func(n int) string {
		var b strings.Builder
		fmt.Fprintf(&b, "deny contains \"x\" if {\n\tx0 := %s\n", first)
		for i := range n {
			fmt.Fprintf(&b, "\tx%d := %s\n", i+1, strings.ReplaceAll(step, "X", fmt.Sprintf("x%d", i)))
		}
		return b.String() + "\t" + strings.ReplaceAll(last, "X", fmt.Sprintf("x%d", n)) + "\n}\n"
	}
}

func inRules(step, last string) func(n int) string {
	return func(n int) string {
		var b strings.Builder
		fmt.Fprintf(&b, "x0 := %s\n", first)
		for i := range n {
			fmt.Fprintf(&b, "x%d := %s\n", i+1, strings.ReplaceAll(step, "X", fmt.Sprintf("x%d", i)))
		}
		return b.String() + strings.ReplaceAll(last, "X", fmt.Sprintf("x%d", n)) + "\n"
	}
}

func withFunction(f string, policy func(n int) string) func(n int) string {
	return func(n int) string { return f + "\n" + policy(n) }
}

func functions(n int) string {
	var b strings.Builder
	b.WriteString("f0(x) := x\n")
	for i := range n {
		fmt.Fprintf(&b, "f%d(x) := f%d([x, x])\n", i+1, i)
	}
	return b.String() + fmt.Sprintf("deny contains \"x\" if count(f%d(%s)) > 3\n", n, first)
}

// Whatever grows with every line is refused when it has too many, at a line, and
// with as many as are allowed takes neither a machine's memory nor a second. It
// runs in a process of its own that ends itself where it takes too much: the
// tests beside it shall not find out.
func TestExplosionsAreRefused(t *testing.T) {
	if os.Getenv("WONTED_EXPLODE") == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestExplosionsAreRefused$", "-test.v", "-test.timeout=5m")
		cmd.Env = append(os.Environ(), "WONTED_EXPLODE=1")
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Error(err)
		}
		return
	}
	go exitAbove(1 << 30)
	for name, of := range explosions {
		_, err := FromSource("p.rego", []byte("package wonted.policy\n"+of(40)))
		var found Problems
		if !errors.As(err, &found) || len(found) != 1 || found[0].Row == 0 || !strings.Contains(found[0].Message, "4096") || found[0].Hint == "" {
			t.Errorf("%s: forty lines: %v", name, err)
			continue
		}
		lines := 0
		var last *Engine
		for e, err := FromSource("p.rego", []byte("package wonted.policy\n"+of(0))); err == nil; e, err = FromSource("p.rego", []byte("package wonted.policy\n"+of(lines))) {
			last = e
			lines++
		}
		if last == nil {
			t.Errorf("%s: not even no line is allowed: %v", name, err)
			continue
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ctx, cancel := context.WithTimeout(t.Context(), policy.DefaultDeadline)
		_, decided := last.Decide(ctx, at(sample(), policy.PhaseRequest))
		cancel()
		runtime.ReadMemStats(&after)
		took := (after.TotalAlloc - before.TotalAlloc) >> 10
		t.Logf("%-16s %d lines, %d KiB: %.80v; then %v", name, lines-1, took, decided, found[0])
		if took > 64<<10 {
			t.Errorf("%s: %d lines take %d KiB", name, lines-1, took)
		}
	}
}

// exitAbove ends the process when the heap is larger.
func exitAbove(bytes uint64) {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	for range time.Tick(time.Millisecond) {
		metrics.Read(heap)
		if heap[0].Value.Uint64() > bytes {
			fmt.Printf("%d MiB are taken\n", heap[0].Value.Uint64()>>20)
			os.Exit(3)
		}
	}
}

// What policies do that work with what they made is allowed, however long.
func TestOrdinaryPoliciesAreNoExplosions(t *testing.T) {
	for name, of := range map[string]func(n int) string{
		"filters":       inBody(`[y | some y in X; y != 1]`, `count(X) > 3`),
		"maps":          inBody(`{k: v | some k, v in X}`, `count(X) > 3`),
		"texts":         inBody(`sprintf("%s%v", [input.request.method, count(X)])`, `count(X) > 3`),
		"longer":        inBody(`array.concat(X, [input.score])`, `count(X) > 3`),
		"one more each": inBody(`object.union({"a": 1}, {"b": count(X), "c": count(X)})`, `count(X) > 3`),
		"counts":        inRules(`count([y | some y in [X, X]])`, `deny contains "x" if X > 3`),
		"texts of all":  inRules(`concat(",", [$"{X}", $"{X}"])`, `deny contains "x" if input.request.path == substring(X, 0, 3)`),
	} {
		if _, err := FromSource("p.rego", []byte("package wonted.policy\n"+of(40))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckTellsOfAnExplosionOnce(t *testing.T) {
	r, err := Check(write(t, map[string]string{
		"p.rego":      "package wonted.policy\n" + explosions["arrays"](40),
		"p_test.rego": "package wonted.policy_test\ntest_x if count(data.wonted.policy.deny) == 0\n",
	}))
	if err != nil || len(r.Problems) != 1 || r.Problems[0].Row != 16 || !strings.HasPrefix(r.Problems[0].Message, "x13 may hold one value") {
		t.Errorf("%+v, %v", r, err)
	}
}
