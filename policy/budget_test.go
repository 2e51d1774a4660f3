package policy

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring"
)

func TestResolve(t *testing.T) {
	f := func(number int64, times float64, usual int64, want bound) {
		t.Helper()
		if got := resolve(number, times, usual); got != want {
			t.Errorf("resolve(%d, %g, %d) = %+v, want %+v", number, times, usual, got, want)
		}
	}
	f(0, 0, 50, bound{})
	f(100, 0, 50, bound{limit: 100})
	f(0, 1, 0, bound{}) // nothing is known to be usual
	f(100, 1, 0, bound{limit: 100})
	f(0, 2, 50, bound{limit: 100, usual: true})
	f(99, 2, 50, bound{limit: 99})
	f(101, 2, 50, bound{limit: 100, usual: true})
	f(0, 0.001, 50, bound{limit: 1, usual: true}) // a bound never becomes none
	f(0, math.MaxFloat64, 50, bound{limit: 1 << 62, usual: true})
}

// budgeted is a case before a gate with one budget and what is usual.
func budgeted(t *testing.T, mode Mode, budget Budget, usualBytes, usualRecords int64) (*bench, *Case) {
	t.Helper()
	b := newBench(saying(Decision{Action: Allow, Budget: budget}), func(c *Config) { c.Mode = mode })
	b.scorer.begin = func(ex *scoring.Exchange) {
		ex.Assessment.Usual.Bytes, ex.Assessment.Usual.Records = usualBytes, usualRecords
	}
	c := request()
	if !b.Open(c).Pass {
		t.Fatal("refused at the request")
	}
	return b, c
}

func TestKnownSizeOverBudgetIsRefusedClean(t *testing.T) {
	f := func(budget Budget, size int64, pass bool) {
		t.Helper()
		b, c := budgeted(t, Enforce, budget, 500, 10)
		respond(c, 200, size)
		v := b.Answer(c, at)
		if v.Pass != pass {
			t.Errorf("%+v, %d bytes: pass %v", budget, size, v.Pass)
		}
		if !pass && (v.Class != "budget" || v.HTTPStatus() != 403 || v.Body) {
			t.Errorf("%+v, %d bytes: class %q status %d body %v", budget, size, v.Class, v.HTTPStatus(), v.Body)
		}
	}
	f(Budget{Bytes: 1000}, 1000, true)
	f(Budget{Bytes: 1000}, 1001, false)
	f(Budget{Bytes: 1000}, -1, true)
	f(Budget{Usual: 1}, 500, true)
	f(Budget{Usual: 1}, 501, false)
	f(Budget{Usual: 3}, 1500, true)
	f(Budget{}, 1<<40, true)
}

func TestErrorPageIsNotMeasuredByWhatIsUsual(t *testing.T) {
	f := func(budget Budget, status int, pass bool) {
		t.Helper()
		b, c := budgeted(t, Enforce, budget, 500, 10)
		respond(c, status, 2000)
		if v := b.Answer(c, at); v.Pass != pass {
			t.Errorf("%+v, status %d: pass %v", budget, status, v.Pass)
		}
	}
	f(Budget{Usual: 1}, 200, false)
	f(Budget{Usual: 1}, 404, true)
	f(Budget{Usual: 1}, 500, true)
	f(Budget{Bytes: 1000}, 500, false) // a number is a number
}

func TestHeadAnswerIsNoBody(t *testing.T) {
	f := func(method string, status int) {
		t.Helper()
		b, c := budgeted(t, Enforce, Budget{Bytes: 10}, 0, 0)
		c.Exchange.Method = []byte(method)
		respond(c, status, 1000)
		if v := b.Answer(c, at); !v.Pass || v.Body {
			t.Errorf("%s %d: pass %v body %v", method, status, v.Pass, v.Body)
		}
	}
	f("HEAD", 200)
	f("GET", 204)
	f("GET", 304)
	f("GET", 101)
	f("CONNECT", 200)
}

func TestStreamIsCutOnce(t *testing.T) {
	f := func(budget Budget, want string) {
		t.Helper()
		for _, mode := range []Mode{Enforce, Shadow} {
			b, c := budgeted(t, mode, budget, 5000, 20)
			respond(c, 200, -1)
			if v := b.Answer(c, at); !v.Body {
				t.Fatalf("%+v: the body is not asked for", budget)
			}
			var v Verdict
			for n := int64(1); n <= 100; n++ {
				c.Exchange.ResponseBytes, c.Exchange.Records = n*1000, n*10
				if v = b.Meter(c, at); v.Action == Deny {
					break
				}
			}
			if v.Pass != (mode == Shadow) || v.Class != "budget" || v.Reason != want {
				t.Errorf("%v %+v: pass %v class %q reason %q, want %q", mode, budget, v.Pass, v.Class, v.Reason, want)
			}
			c.Exchange.Records = 9999 // the rest, in shadow
			if v = b.Meter(c, at); v.Reason != want {
				t.Errorf("%v %+v: the reason became %q", mode, budget, v.Reason)
			}
			b.Close(c, scoring.Truncated, at)
			r := b.reports[0]
			if r.Action != "deny" || r.Mode != mode.String() || r.Reason != want || r.Records != 9999 {
				t.Errorf("report %+v", r)
			}
		}
	}
	f(Budget{Records: 35}, "response budget: 40 records, at most 35 allowed")
	f(Budget{Bytes: 3500}, "response budget: 4,000 bytes, at most 3,500 allowed")
	f(Budget{Usual: 1}, "response budget: 30 records, at most 20 usual for this caller")
	f(Budget{Usual: 4, Records: 1000}, "response budget: 90 records, at most 80 usual for this caller")
}

func TestWhichBodiesAreSeen(t *testing.T) {
	f := func(what string, size int64, want bool, change func(*Case, *decider)) {
		t.Helper()
		d := saying(Decision{Action: Allow})
		d.reads = map[Phase]bool{}
		b := newBench(d, nil)
		c := request()
		c.Exchange.Assessment.Usual.Bytes = 50_000 // far out: the usual bounds, the range asks
		c.Exchange.Assessment.Range = 1000
		if change != nil {
			change(c, d)
		}
		b.Open(c)
		respond(c, max(c.Exchange.Status, 200), size)
		if v := b.Answer(c, at); v.Body != want {
			t.Errorf("%s, %d bytes: body %v", what, size, v.Body)
		}
	}
	say := func(d Decision) func(*Case, *decider) {
		return func(_ *Case, to *decider) { to.at[PhaseRequest] = &d }
	}
	f("ordinary", 1000, false, nil)
	f("ordinary", 0, false, nil)
	f("larger than is common", 1001, true, nil)
	f("no range is known", 10, true, func(c *Case, _ *decider) { c.Exchange.Assessment.Range = 0 })
	f("an error page", 2000, false, func(c *Case, _ *decider) { c.Exchange.Status = 500 })
	f("unknown size", -1, true, nil)
	f("a caller that is new", 10, true, func(c *Case, _ *decider) { c.Exchange.Assessment.Mature = false })
	f("inspected", 10, true, say(Decision{Action: Allow, Inspect: true}))
	f("records that fit", 200, false, say(Decision{Action: Allow, Budget: Budget{Records: 100}}))
	f("records that may not", 201, true, say(Decision{Action: Allow, Budget: Budget{Records: 100}}))
	f("the policy reads the body's records", 10, true, func(_ *Case, d *decider) { d.reads[PhaseBody] = true })
}

// A body of bare ids is small for its many records: it is metered, and cut by
// records, though its bytes alone are ordinary.
func TestBareIDsAreMetered(t *testing.T) {
	b, c := budgeted(t, Enforce, Budget{Usual: 1}, 50_000, 20)
	c.Exchange.Assessment.Range = 2000
	respond(c, 200, 40_000)
	if v := b.Answer(c, at); !v.Pass || !v.Body {
		t.Fatalf("pass %v body %v", v.Pass, v.Body)
	}
	c.Exchange.ResponseBytes, c.Exchange.Records = 300, 50
	if v := b.Meter(c, at); v.Pass || v.Class != "budget" {
		t.Errorf("pass %v class %q", v.Pass, v.Class)
	}
}

func TestGrouped(t *testing.T) {
	f := func(n int64, want string) {
		t.Helper()
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %s", n, got)
		}
	}
	f(0, "0")
	f(999, "999")
	f(1000, "1,000")
	f(1234567, "1,234,567")
}

func TestReasonsDoNotLeakIntoTheClass(t *testing.T) {
	b := newBench(saying(Decision{Action: Deny, Reason: "secret rule"}), nil)
	if v := b.Open(request()); strings.Contains(v.Class, "secret") {
		t.Errorf("class %q", v.Class)
	}
}

// A verdict in shadow, then a budget that is enforced: nothing of how the first
// would have been told is left in the second.
func TestOverspentIsNoThrottle(t *testing.T) {
	d := Decision{Action: Throttle, RetryAfter: time.Minute, Status: 503, Realm: "r", Manner: Manner{Quota: 5, Window: time.Second}, Budget: Budget{Bytes: 1000}}
	b := newBench(saying(d), func(c *Config) { c.Mode = Shadow })
	c := request()
	b.Open(c)
	respond(c, 200, 5000)
	v := b.Answer(c, at)
	if v.Class != "budget" || v.HTTPStatus() != 403 || v.RetryAfter != 0 || v.Realm != "" || v.Manner != (Manner{}) {
		t.Errorf("%+v", v.Decision)
	}
}
