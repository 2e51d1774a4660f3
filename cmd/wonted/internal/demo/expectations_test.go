package demo

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/policy"
)

// Each expectation holds for what the story says and for nothing else: a
// scoreboard that cannot fail measures nothing.
func TestExpectationsCanFail(t *testing.T) {
	whole := func(n int, o outcome) (d deed) {
		for range n {
			d.add(o)
		}
		return d
	}
	var (
		one        = outcome{Status: 200, Records: 1}
		list       = outcome{Status: 200, Records: pullRecords}
		cut        = outcome{Status: 200, Records: 40, Broken: true}
		challenged = outcome{Status: 401, Challenge: `Bearer realm="api"`, Decision: "d"}
		throttled  = outcome{Status: 429, RetryAfter: "60", Decision: "d"}
		denied     = outcome{Status: 403, Decision: "d"}
	)
	partly := whole(12, one)
	for range walkLength - 12 {
		partly.add(throttled)
	}
	late := whole(walkLength-1, one)
	late.add(throttled)

	f := func(name string, held bool, expect func(*scene)) {
		t.Helper()
		s := &scene{}
		expect(s)
		if len(s.Expectations) == 0 {
			t.Errorf("%s: nothing is expected", name)
		}
		if got := len(s.failed()) == 0; got != held {
			t.Errorf("%s: held %v, want %v (%v)", name, got, held, s.failed())
		}
	}
	f("nothing stopped", true, func(s *scene) { expectNothingStopped(s, whole(walkLength, one), whole(pulls, list)) })
	f("walk stopped", false, func(s *scene) { expectNothingStopped(s, partly, whole(pulls, list)) })
	f("pull cut", false, func(s *scene) { expectNothingStopped(s, whole(walkLength, one), whole(pulls, cut)) })

	f("all challenged", true, func(s *scene) { expectChallenged(s, whole(walkLength, challenged)) })
	f("one passed", false, func(s *scene) {
		d := whole(walkLength-1, challenged)
		d.add(one)
		expectChallenged(s, d)
	})
	f("denied instead", false, func(s *scene) { expectChallenged(s, whole(walkLength, denied)) })

	f("throttled", true, func(s *scene) { expectThrottled(s, partly) })
	f("throttled at the last", false, func(s *scene) { expectThrottled(s, late) })
	f("never throttled", false, func(s *scene) { expectThrottled(s, whole(walkLength, one)) })
	f("challenged instead", false, func(s *scene) { expectThrottled(s, whole(walkLength, challenged)) })
	f("no retry-after", false, func(s *scene) { expectThrottled(s, whole(walkLength, outcome{Status: 429})) })

	f("cut", true, func(s *scene) { expectCut(s, whole(pulls, cut)) })
	f("not cut", false, func(s *scene) { expectCut(s, whole(pulls, list)) })
	f("refused instead", false, func(s *scene) { expectCut(s, whole(pulls, throttled)) })
	f("cut late", false, func(s *scene) {
		expectCut(s, whole(pulls, outcome{Status: 200, Records: pullRecords - 1, Broken: true}))
	})

	f("explained", true, func(s *scene) {
		expectExplained(s, "cut", &policy.Report{Evidence: []policy.Finding{{Detector: "volume"}}})
	})
	f("not explained", false, func(s *scene) { expectExplained(s, "cut", nil) })

	f("nobody", true, func(s *scene) { expectUndisturbed(s, harm{Customers: 25}) })
	f("somebody", false, func(s *scene) { expectUndisturbed(s, harm{Customers: 25, Disturbed: 1}) })
	f("nobody there", false, func(s *scene) { expectUndisturbed(s, harm{}) })
}

// TestAnInterruptedSceneGetsNoVerdict: requests that Ctrl-C has cut off look
// like customers who were disturbed.
func TestAnInterruptedSceneGetsNoVerdict(t *testing.T) {
	f := func(ctx context.Context, told bool) {
		t.Helper()
		var out strings.Builder
		tale := &telling{teller: &teller{w: &out}}
		s := &scene{Name: "enforce"}
		s.expect(false, "nobody was disturbed", "one was")
		err := tale.close(ctx, s)
		if got := strings.Contains(out.String(), "NOT AS TOLD"); got != told {
			t.Errorf("it says %q", out.String())
		}
		if errors.Is(err, context.Canceled) == told {
			t.Errorf("it ends with %v", err)
		}
	}
	f(t.Context(), true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f(ctx, false)
}
