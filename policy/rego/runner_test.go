package rego

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// todo_ is OPA's prefix of a test that is there and not to be run.
func TestTestsAreRun(t *testing.T) {
	dir := write(t, map[string]string{
		"p.rego": "package wonted.policy\n\ndeny contains \"x\" if {\n\tinput.anomalous\n}\n\nthrottle contains \"y\" if {\n\tinput.score > 3\n\tinput.identity.mature\n}\n",
		"p_test.rego": `package wonted.policy_test

import data.wonted.combine
import data.wonted.policy
import data.wonted.test

test_passes if {
	combine.decision.action == "deny" with input as test.anomaly("rate")
}

test_fails if {
	print("score", data.wonted.test.input.score)
	"x" in policy.deny with input as data.wonted.test.input
}

test_errors if {
	to_number("a") == 1
}

todo_test_later if false
`,
	})
	run, err := Test(t.Context(), dir, "", true)
	if err != nil {
		t.Fatal(err)
	}
	if run.Passed != 1 || run.Failed != 2 || run.Skipped != 1 {
		t.Errorf("%+v", run)
	}
	f := func(i int, name, outcome string, row int) TestResult {
		t.Helper()
		r := run.Tests[i]
		if r.Name != "wonted.policy_test."+name || r.Outcome != outcome || r.Row != row || !strings.HasSuffix(r.File, "/p_test.rego") {
			t.Errorf("%+v", r)
		}
		return r
	}
	f(0, "test_passes", "pass", 7)
	failed := f(1, "test_fails", "fail", 11)
	if failed.Failed == nil || failed.Failed.Row != 13 || !strings.Contains(failed.Failed.Message, `"x" in policy.deny`) || failed.Output != "score 0.3\n" {
		t.Errorf("%+v", failed.Failed)
	}
	if broke := f(2, "test_errors", "error", 16); !strings.Contains(broke.Error, "to_number") {
		t.Errorf("%+v", broke)
	}
	f(3, "todo_test_later", "skip", 20)
	if c := run.Coverage; len(c.Files) != 1 || c.Percent != 40 || strings.Join(c.Files[0].Missing, " ") != "7-9" {
		t.Errorf("coverage %+v", c)
	}

	if run, err := Test(t.Context(), dir, "passes$", false); err != nil || len(run.Tests) != 1 || run.Coverage != nil {
		t.Errorf("by name: %+v, %v", run, err)
	}
	if _, err := Test(t.Context(), dir, "(", false); err == nil {
		t.Error("a name that is no pattern")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Test(ended, dir, "", false); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

func TestTestsThatDoNotCompile(t *testing.T) {
	for _, text := range []string{"package a\ntest_x if {", "package a\ntest_x if http.send({})", "package a\ntest_x if y"} {
		dir := write(t, map[string]string{"p.rego": denyAll, "p_test.rego": text})
		if _, err := Test(t.Context(), dir, "", false); err == nil || !strings.Contains(err.Error(), "p_test.rego:") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
