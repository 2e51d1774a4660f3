package policy

import (
	"testing"

	"github.com/wonted-project/wonted/scoring"
)

// TestWantsHeaders: the response must be seen before it leaves unless nothing
// that it could bring would change what is done.
func TestWantsHeaders(t *testing.T) {
	plain := func(ex *scoring.Exchange) { ex.Assessment.Plain = true }
	f := func(what string, d *decider, begin func(*scoring.Exchange), want bool) {
		t.Helper()
		b := newBench(d, nil)
		b.scorer.begin = begin
		if v := b.Open(request()); v.Headers != want {
			t.Errorf("%s: %v", what, v.Headers)
		}
	}
	allow := func(d Decision) *decider { d.Action = Allow; return saying(d) }
	reading := func(p Phase) *decider {
		d := allow(Decision{})
		d.reads = map[Phase]bool{p: true}
		return d
	}
	with := func(change func(*scoring.Assessment)) func(*scoring.Exchange) {
		return func(ex *scoring.Exchange) { plain(ex); change(&ex.Assessment) }
	}
	f("plain", allow(Decision{}), plain, false)
	f("times the usual", allow(Decision{Budget: Budget{Usual: 10}}), plain, false)
	f("request headers", allow(Decision{Request: []HeaderRule{{Name: "x-risk", Value: "low"}}}), plain, false)
	f("not plain", allow(Decision{}), nil, true)
	f("inspect", allow(Decision{Inspect: true}), plain, true)
	f("records", allow(Decision{Budget: Budget{Records: 5}}), plain, true)
	f("bytes", allow(Decision{Budget: Budget{Bytes: 5}}), plain, true)
	f("response headers", allow(Decision{Response: []HeaderRule{{Name: "server", Remove: true}}}), plain, true)
	f("reads the response", reading(PhaseResponse), plain, true)
	f("reads the body", reading(PhaseBody), plain, true)
	f("half the threshold", allow(Decision{}), with(func(a *scoring.Assessment) { a.Score = a.Threshold / 2 }), true)
	f("less", allow(Decision{}), with(func(a *scoring.Assessment) { a.Score = a.Threshold/2 - 0.1 }), false)
	f("anomalous", allow(Decision{}), with(func(a *scoring.Assessment) { a.Anomalous = true }), true)
	f("not mature", allow(Decision{}), with(func(a *scoring.Assessment) { a.Mature = false }), true)
	f("refused", saying(Decision{Action: Deny}), nil, false)
}

// TestToldIsShadow: what is decided about an exchange that is over was not done,
// and no report says that it was. What was decided before stands.
func TestToldIsShadow(t *testing.T) {
	f := func(what string, d *decider, before bool, size int64, action, mode string) {
		t.Helper()
		b := newBench(d, nil)
		c := request()
		c.Told = before
		if v := b.Open(c); !v.Pass {
			t.Errorf("%s: refused at the request", what)
		}
		c.Told = true
		respond(c, 200, size)
		if v := b.Answer(c, at); !v.Pass {
			t.Errorf("%s: refused at the response", what)
		}
		b.Close(c, scoring.Answered, at)
		if len(b.reports) != 1 || b.reports[0].Action != action || b.reports[0].Mode != mode {
			t.Errorf("%s: %+v", what, b.reports)
		}
		if n := b.value(t, "wonted_decisions_total", "mode", mode, "action", action); n != 1 {
			t.Errorf("%s: counted %v times", what, n)
		}
		if c.Reset(); c.Told {
			t.Errorf("%s: Reset keeps it", what)
		}
	}
	late := saying(Decision{Action: Allow, Reason: "kept"})
	late.at[PhaseResponse] = &Decision{Action: Deny, Reason: "too late"}
	late.reads = map[Phase]bool{PhaseResponse: true}
	budget := saying(Decision{Action: Allow, Reason: "kept", Budget: Budget{Bytes: 10}})

	f("denied at the response", late, false, 5, "deny", "shadow")
	f("over the budget", budget, false, 50, "deny", "shadow")
	f("within it", budget, false, 5, "allow", "enforce")
	f("told from the beginning", saying(Decision{Action: Deny}), true, 5, "deny", "shadow")
	f("allowed, and told from the beginning", budget, true, 5, "allow", "shadow")
}
