package rego

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// exploding would run for hours.
var exploding = []string{
	`deny contains "x" if { some i in numbers.range(1, 100000); some j in numbers.range(1, 100000); i * j == 0 }`,
	`deny contains "x" if count({x | walk(data.wonted.policy.big, [_, x]); walk(data.wonted.policy.big, [_, y]); x == y}) == 0
big := [[j | some j in numbers.range(1, 3000)] | some i in numbers.range(1, 3000)]`,
	`deny contains "x" if count(numbers.range(1, 100000000000)) == 0`,
}

func TestDeadlineEndsARunawayPolicy(t *testing.T) {
	for _, text := range exploding {
		e := must(t, text)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		done := make(chan error, 1)
		go func() {
			_, err := e.Decide(ctx, at(sample(), policy.PhaseRequest))
			done <- err
		}()
		select {
		case err := <-done:
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s\nended with %v", text, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s\nstill runs", text)
		}
		cancel()
	}
}

// nobody scores.
type nobody struct{}

func (nobody) Begin(*scoring.Exchange)                            {}
func (nobody) Answer(*scoring.Exchange, time.Time)                {}
func (nobody) Attempt(*scoring.Exchange)                          {}
func (nobody) Meter(*scoring.Exchange, time.Time)                 {}
func (nobody) Complete(*scoring.Exchange, scoring.End, time.Time) {}

// The Gate's own context does the same, and the fail mode answers.
func TestGateEndsARunawayPolicy(t *testing.T) {
	f := func(text string, fail policy.FailMode, reason string) {
		t.Helper()
		g := policy.NewGate(policy.Config{
			Scorer: nobody{}, Decider: must(t, text), Mode: policy.Enforce, Fail: fail, Deadline: 20 * time.Millisecond, Log: zerolog.Nop(),
		})
		c := &policy.Case{Exchange: *sample()}
		v := g.Open(c)
		if v.Failed != reason || v.Pass != (fail == policy.FailOpen) {
			t.Errorf("%s\n%v: failed %q, pass %v", text, fail, v.Failed, v.Pass)
		}
	}
	f(exploding[0], policy.FailOpen, "timeout")
	f(exploding[0], policy.FailClosed, "timeout")
	f(`deny contains 7`, policy.FailClosed, "contract")
	f("f(x) := 1 if x\nf(x) := 2 if x\ndeny contains \"x\" if f(input.request.method)", policy.FailClosed, "error")
}

func TestManyAtOnce(t *testing.T) {
	e := must(t, `deny contains input.request.headers["x-n"] if regex.match("^[0-9]+$", input.request.headers["x-n"])`)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			ex := sample()
			want := string(rune('0' + g))
			ex.Headers = append(ex.Headers, scoring.Header{Name: []byte("x-n"), Value: []byte(want)})
			for range 100 {
				d, err := e.Decide(context.Background(), at(ex, policy.PhaseRequest))
				if err != nil || d.Reason != want {
					t.Errorf("%v, %v: want the reason %q", d, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

// A builtin's error makes its rule undefined, as everywhere in OPA; it is no
// failure of the policy.
func TestBuiltinErrorIsUndefined(t *testing.T) {
	e := must(t, "deny contains \"x\" if to_number(input.request.method) > 1\nthrottle contains \"t\"")
	if d := decide(t, e, at(sample(), policy.PhaseRequest)); d.Action != policy.Throttle {
		t.Errorf("action %v", d.Action)
	}
}

// Patterns that clients send must not fill the memory.
func TestPatternsAreBounded(t *testing.T) {
	e := must(t, `deny contains "x" if regex.match(input.request.host, "a")`)
	ex := sample()
	for i := range maxPatterns + 10 {
		ex.Host = []byte(fmt.Sprintf("^a{%d}$", i%1000) + strings.Repeat("b", i/1000))
		decide(t, e, at(ex, policy.PhaseRequest))
	}
	if e.values.Insert(ast.String("one more"), nil) == 0 {
		t.Error("nothing had to leave for one more pattern")
	}
}

func TestPolicyWithoutContractRulesIsWarnedOf(t *testing.T) {
	w := must(t, `helper := 1`).Warnings()
	if len(w) != 1 || !strings.Contains(w[0].Error(), "everything is allowed: the rules are allow, challenge, deny") {
		t.Errorf("warnings %v", w)
	}
}
