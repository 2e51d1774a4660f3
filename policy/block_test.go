package policy

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// blocks is a table of what the test says.
type blocks struct {
	holds  []*Block
	asked  []Quarantine
	orders []Order
	noted  int
}

func (b *blocks) Find(into []*Block, ex *scoring.Exchange, now time.Time) []*Block {
	for _, h := range b.holds {
		if now.Before(h.Until) {
			into = append(into, h)
		}
	}
	return into
}

func (b *blocks) Impose(_ *scoring.Exchange, asked []Quarantine, o Order) (all []Isolation) {
	b.asked, b.orders = append(b.asked, asked...), append(b.orders, o)
	for _, q := range asked {
		all = append(all, Isolation{Entity: q.Entity, TTL: WindowName(q.TTL), Outcome: Imposed})
	}
	return all
}

func (b *blocks) Note(*scoring.Exchange, time.Time) { b.noted++ }

func with(b *blocks, more ...func(*Config)) func(*Config) {
	return func(c *Config) {
		c.Blocks = b
		for _, f := range more {
			f(c)
		}
	}
}

// Who comes from quarantine is refused before anybody is asked, and nothing is
// learned of it.
func TestQuarantinedIsRefusedAtOnce(t *testing.T) {
	of := func(entity string, d time.Duration, shadow bool) *Block {
		return &Block{Entity: entity, Name: "acme", Until: at.Add(d), Reason: "enumeration", Author: ByPolicy, Shadow: shadow}
	}
	held := &blocks{holds: []*Block{of("session", time.Minute, false), of("caller", 90*time.Second, false), of("device", time.Hour, true)}}
	d := saying(Decision{Action: Allow})
	b := newBench(d, with(held))
	c := request()
	v := b.Open(c)
	if v.Pass || v.Action != Deny || v.HTTPStatus() != http.StatusForbidden || v.Class != "quarantined" || v.RetryAfter != 90*time.Second {
		t.Errorf("%+v %+v", v, v.Decision)
	}
	if want := "quarantine of caller acme until 2026-03-02T14:01:30Z by policy: enumeration"; v.Reason != want {
		t.Errorf("%q, want %q", v.Reason, want)
	}
	b.Close(c, scoring.Refused, at)
	if len(b.scorer.calls) > 0 || len(d.asked) > 0 || held.noted > 0 {
		t.Errorf("the scorer was asked %v, the policy %v, %d noted", b.scorer.calls, d.asked, held.noted)
	}
	if len(b.reports) != 1 || b.reports[0].Status != http.StatusForbidden {
		t.Errorf("%+v", b.reports)
	}
	if b.value(t, "wonted_quarantine_blocked_total", "entity", "caller", "mode", "enforce") != 1 ||
		b.value(t, "wonted_decisions_total", "action", "deny", "mode", "enforce") != 1 {
		t.Error("not counted")
	}

	// The end is exact.
	c.Reset()
	c = request()
	c.Exchange.Time = at.Add(90 * time.Second)
	if v := b.Open(c); !v.Pass {
		t.Errorf("at its end: %+v", v.Decision)
	}
	if slices.Index(b.scorer.calls, "begin") < 0 || len(d.asked) != 1 {
		t.Error("afterwards it is judged")
	}
}

// In shadow, and of what is in shadow only, nothing is refused; what would have
// been done is reported, and the exchange is judged as ever.
func TestQuarantineInShadow(t *testing.T) {
	b := &Block{Entity: "caller", Until: at.Add(time.Minute), Shadow: true}
	f := func(m Mode, told bool, action Action) {
		t.Helper()
		var seen []*Block
		d := saying(Decision{Action: Allow})
		d.hook = func(_ context.Context, in *Input) { seen = in.Held }
		bench := newBench(d, with(&blocks{holds: []*Block{b}}, func(c *Config) { c.Mode = m }))
		c := request()
		c.Told = told
		v := bench.Open(c)
		if !v.Pass || v.Action != action || len(seen) != 1 {
			t.Errorf("%v, told %v: %v, pass %v, the policy sees %v", m, told, v.Action, v.Pass, seen)
		}
		if slices.Index(bench.scorer.calls, "begin") < 0 {
			t.Errorf("%v: not judged", m)
		}
	}
	f(Shadow, false, Deny)
	f(Enforce, true, Deny)
	f(Enforce, false, Allow)
}

// What a policy asks for is imposed once an exchange, before its verdict is
// known to the carrier, with the reason that there is.
func TestGateImposes(t *testing.T) {
	f := func(d Decision, change func(*Config), told bool, want Order) {
		t.Helper()
		d.Quarantine = []Quarantine{{Entity: "caller", TTL: 10 * time.Minute}}
		held := &blocks{}
		says := saying(d)
		says.reads = map[Phase]bool{PhaseResponse: true}
		b := newBench(says, with(held, change))
		b.scorer.begin = func(ex *scoring.Exchange) {
			ex.Assessment.Evidence = []scoring.Evidence{{Detector: scoring.Enumeration, Entity: profile.KindCaller, Score: 5}}
		}
		c := request()
		c.Told = told
		b.Open(c)
		if len(held.asked) != 1 {
			t.Fatalf("imposed %v", held.asked)
		}
		respond(c, 200, 100)
		b.Answer(c, at)
		b.Close(c, scoring.Answered, at)
		if want.Reason == "" {
			want.Reason = c.Exchange.Assessment.Evidence[0].Summary()
		}
		if len(held.asked) != 1 || held.orders[0] != want {
			t.Errorf("%+v %+v, want %+v", held.asked, held.orders, want)
		}
		if r := b.reports[0]; len(r.Quarantine) != 1 || r.Quarantine[0] != (Isolation{Entity: "caller", TTL: "10m", Outcome: Imposed}) {
			t.Errorf("%+v", r.Quarantine)
		}
	}
	none := func(*Config) {}
	f(Decision{Action: Deny, Reason: "a rule"}, none, false, Order{Reason: "a rule", Now: at})
	f(Decision{Action: Allow}, none, false, Order{Now: at})
	f(Decision{Action: Allow}, shadow, false, Order{Now: at, Shadow: true})
	f(Decision{Action: Allow}, none, true, Order{Now: at}) // what is told comes too late to refuse, not to block
}

// What nothing is said against is noted: that somebody uses an address must be
// known before it is blocked.
func TestGateNotes(t *testing.T) {
	f := func(d Decision, end scoring.End, anomalous bool, want int) {
		t.Helper()
		held := &blocks{}
		b := newBench(saying(d), with(held, shadow))
		b.scorer.begin = func(ex *scoring.Exchange) { ex.Assessment.Anomalous = anomalous }
		c := request()
		b.Open(c)
		b.Close(c, end, at)
		if held.noted != want {
			t.Errorf("%v %v: noted %d times", d.Action, end, held.noted)
		}
	}
	f(Decision{Action: Allow}, scoring.Answered, false, 1)
	f(Decision{Action: Allow}, scoring.Answered, true, 0)
	f(Decision{Action: Allow}, scoring.Unknown, false, 0)
	f(Decision{Action: Throttle}, scoring.Answered, false, 0)
}

func TestBlockJSON(t *testing.T) {
	b := Block{
		ID: "0000000000000001", Entity: "network", Key: profile.Key{Hi: 1}, Hash: Hash(profile.Key{Hi: 1}), Name: "203.0.113.0/24",
		Prefix: netip.MustParsePrefix("203.0.113.0/24"), Since: at, Until: at.Add(time.Minute), Rung: 1, Reason: "why", Author: ByPolicy, Decision: "d", Shadow: true,
	}
	got, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"0000000000000001","entity":"network","hash":"00000000000000010000000000000000","name":"203.0.113.0/24","prefix":"203.0.113.0/24",` +
		`"since":"2026-03-02T14:00:00Z","until":"2026-03-02T14:01:00Z","rung":1,"reason":"why","author":"policy","decision_id":"d","shadow":true}`
	if string(got) != want {
		t.Errorf("the JSON names are a contract:\n%s\n%s", got, want)
	}
}
