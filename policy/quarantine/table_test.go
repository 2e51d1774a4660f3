package quarantine

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/zeebo/xxh3"
	"pgregory.net/rapid"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// at is when these tests begin.
var at = time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)

func key(kind profile.Kind, value []byte) profile.Key {
	h := xxh3.Hash128Seed(value, uint64(kind))
	return profile.Key{Hi: h.Hi, Lo: h.Lo}
}

func newTable(t testing.TB, change ...func(*Options)) *Table {
	t.Helper()
	o := Options{Config: Default(), Mode: policy.Enforce, Key: key}
	for _, f := range change {
		f(&o)
	}
	return New(o)
}

func entity(kind profile.Kind, value string) scoring.Identity {
	return scoring.Identity{Kind: kind, Key: key(kind, []byte(value)), Name: []byte(value), Rule: "header x-api-key"}
}

// from is an exchange of a caller from an address.
func from(caller, address string) *scoring.Exchange {
	ex := &scoring.Exchange{Time: at, ID: scoring.ID{7}, Source: []byte(address + ":4711")}
	if caller != "" {
		ex.Entities[profile.KindCaller] = entity(profile.KindCaller, caller)
	}
	ex.Address = netip.MustParseAddr(address)
	ex.Entities[profile.KindAddress] = entity(profile.KindAddress, name(host(ex.Address)))
	ex.Entities[profile.KindNetwork] = entity(profile.KindNetwork, network(ex.Address).String())
	ex.Entities[profile.KindDevice] = entity(profile.KindDevice, "t13d1516h2_8daaf6152771_b186095e22b6")
	return ex
}

// ask has a policy ask for a quarantine.
func (t *Table) ask(ex *scoring.Exchange, entity string, ttl time.Duration, now time.Time) policy.Isolation {
	return t.Impose(ex, []policy.Quarantine{{Entity: entity, TTL: ttl}}, policy.Order{Reason: "a rule", Now: now})[0]
}

// by are the entities by which an exchange is blocked.
func (t *Table) by(ex *scoring.Exchange, now time.Time) (all []string) {
	for _, b := range t.Find(nil, ex, now) {
		all = append(all, b.Entity)
	}
	return all
}

func TestBlockHoldsUntilItsEndExactly(t *testing.T) {
	table := newTable(t)
	if done := table.ask(from("acme", "203.0.113.7"), "caller", 10*time.Minute, at); done.Outcome != policy.Imposed || done.TTL != "10m" || len(done.ID) != 16 {
		t.Fatalf("%+v", done)
	}
	end := at.Add(10 * time.Minute)
	f := func(ex *scoring.Exchange, now time.Time, want ...string) {
		t.Helper()
		if got := table.by(ex, now); !slices.Equal(got, want) {
			t.Errorf("%s: blocked by %v, want %v", now, got, want)
		}
	}
	f(from("acme", "198.51.100.1"), at, "caller")
	f(from("acme", "198.51.100.1"), end.Add(-1), "caller")
	f(from("acme", "198.51.100.1"), end)
	f(from("other", "203.0.113.7"), at)
	if next := table.Sweep(end.Add(-1)); !next.Equal(end) || table.live.Load() != 1 {
		t.Errorf("next %v, %d live", next, table.live.Load())
	}
	if next := table.Sweep(end); !next.IsZero() || table.live.Load() != 0 {
		t.Errorf("next %v, %d live", next, table.live.Load())
	}
}

func TestLadder(t *testing.T) {
	table := newTable(t)
	ex := from("acme", "203.0.113.7")
	now := at
	f := func(ttl time.Duration, want time.Duration, rung int) {
		t.Helper()
		done := table.ask(ex, "caller", ttl, now)
		b := table.Of(ex.Entities[profile.KindCaller].Key, now)
		if done.Outcome != policy.Imposed || b.Until.Sub(now) != want || b.Rung != rung {
			t.Errorf("%+v: for %v on rung %d, want %v on %d", done, b.Until.Sub(now), b.Rung, want, rung)
		}
	}
	over := func(d time.Duration) { now = table.List(now)[0].Until.Add(d) }
	f(0, 5*time.Minute, 1)
	if again := table.ask(ex, "caller", 0, now.Add(time.Minute)); again.Outcome != policy.Held {
		t.Errorf("while it holds: %+v", again)
	}
	over(0)
	f(0, time.Hour, 2)
	over(time.Minute)
	f(10*time.Minute, 24*time.Hour, 3) // repeated: at least the rung
	over(time.Minute)
	f(48*time.Hour, 48*time.Hour, 4)
	over(2*calm + time.Minute)
	f(0, 24*time.Hour, 3) // two quiet days take two rungs
	now = now.Add(time.Second)
	if b, err := table.Release(table.List(now)[0].ID, "alice", now); b == nil || err != nil || len(table.List(now)) > 0 {
		t.Errorf("released %+v", b)
	}
	f(0, 5*time.Minute, 1) // what was released was never imposed

	// A longer one that is asked for while it holds prolongs it on its rung.
	now = now.Add(time.Minute)
	f(time.Hour, time.Hour, 1)
}

// What is only watched neither takes the place of what is real nor lends it its
// rung, and what is real takes its place.
func TestShadowAndReal(t *testing.T) {
	table := newTable(t)
	ex := from("acme", "203.0.113.7")
	ask := func(shadow bool, want string, rung int) {
		t.Helper()
		done := table.Impose(ex, []policy.Quarantine{{Entity: "address", TTL: time.Minute}}, policy.Order{Shadow: shadow, Now: at})[0]
		if b := table.List(at)[0]; done.Outcome != want || b.Rung != rung {
			t.Errorf("%+v on rung %d", done, b.Rung)
		}
	}
	ask(true, policy.Watched, 1)
	if len(table.Edge()) != 0 {
		t.Error("what is in shadow is no business of the edge")
	}
	ask(false, policy.Imposed, 1)
	ask(true, policy.Held, 1)
	if got := table.Edge(); len(got) != 1 || got[0] != netip.MustParsePrefix("203.0.113.7/32") {
		t.Errorf("edge %v", got)
	}
	table.SetMode(policy.Shadow)
	if len(table.Edge()) != 0 {
		t.Error("in shadow mode nothing is refused at the edge")
	}
}

func TestEdgeIsToldOfChanges(t *testing.T) {
	table := newTable(t)
	told := 0
	table.Watch(func() { told++; table.Edge() }) // without a lock, or this would hang
	f := func(what string, want int) {
		t.Helper()
		if told != want {
			t.Errorf("%s: told %d times, want %d", what, told, want)
		}
	}
	table.ask(from("acme", "203.0.113.7"), "caller", time.Minute, at)
	f("a caller", 0)
	table.ask(from("acme", "2001:db8::7"), "network", time.Minute, at)
	f("a network", 1)
	table.Sweep(at.Add(time.Minute))
	f("its end", 2)
}

// The table agrees with a map, whatever is done in whatever order.
func TestTableAgreesWithModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := New(Options{Config: Default(), Mode: policy.Enforce, Key: key})
		model := map[string]time.Time{}
		now := at
		callers := rapid.SampledFrom(names(200))
		t.Repeat(map[string]func(*rapid.T){
			"impose": func(t *rapid.T) {
				who, ttl := callers.Draw(t, "who"), time.Duration(rapid.IntRange(1, 7200).Draw(t, "ttl"))*time.Second
				done := table.ask(from(who, "203.0.113.7"), "caller", ttl, now)
				held := model[who].After(now)
				b := table.Of(key(profile.KindCaller, []byte(who)), now)
				switch {
				case held && done.Outcome == policy.Held:
					if !b.Until.Equal(model[who]) {
						t.Fatalf("held until %v, by the model %v", b.Until, model[who])
					}
				case done.Outcome == policy.Imposed:
					if got := b.Until.Sub(now); got < ttl || held && b.Until.Before(model[who]) {
						t.Fatalf("imposed for %v, asked for %v", got, ttl)
					}
					model[who] = b.Until
				default:
					t.Fatalf("%+v", done)
				}
			},
			"release": func(t *rapid.T) {
				who := callers.Draw(t, "who")
				b, _ := table.Release(policy.Hash(key(profile.KindCaller, []byte(who)))[:16], "alice", now)
				if (b != nil) != model[who].After(now) {
					t.Fatalf("released %v, by the model %v", b, model[who])
				}
				delete(model, who)
			},
			"time": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 3600).Draw(t, "seconds")) * time.Second)
			},
			"sweep": func(*rapid.T) { table.Sweep(now) },
			"": func(t *rapid.T) {
				n := 0
				for _, who := range names(200) {
					held := model[who].After(now)
					if held {
						n++
					}
					if got := len(table.by(from(who, "203.0.113.7"), now)) > 0; got != held {
						t.Fatalf("%s at %v: blocked %v, by the model until %v", who, now, got, model[who])
					}
				}
				if got := len(table.List(now)); got != n {
					t.Fatalf("%d listed, by the model %d", got, n)
				}
			},
		})
	})
}

func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("caller-%d", i)
	}
	return all
}

// A flood of blocks is bounded, an operator finds room, and what has ended makes
// it.
func TestTableIsBounded(t *testing.T) {
	table := newTable(t, func(o *Options) { o.Config.MaxEntries = 64 })
	refused := 0
	for i, who := range names(5000) {
		now := at.Add(time.Duration(i) * time.Millisecond)
		if done := table.ask(from(who, "203.0.113.7"), "caller", time.Hour, now); done.Outcome == policy.Refused {
			refused++
		}
	}
	if n := len(table.List(at.Add(time.Minute))); n != 60 || refused != 5000-60 {
		t.Errorf("%d blocks, %d refused", n, refused)
	}
	var counted dto.Metric
	if err := table.metrics.refusals.WithLabelValues("caller").Write(&counted); err != nil || counted.GetCounter().GetValue() != float64(refused) {
		t.Errorf("%v counted, %v", &counted, err)
	}
	later := at.Add(2 * time.Hour)
	for round := range 200 { // other names again and again
		for _, who := range names(60) {
			if done := table.ask(from(fmt.Sprint(round, who), "203.0.113.7"), "caller", time.Second, later); done.Outcome != policy.Imposed {
				t.Fatalf("round %d: %+v", round, done)
			}
		}
		later = later.Add(2 * time.Second)
	}
	if n := len(table.index.Load().slots); n > 2048 {
		t.Errorf("%d slots for 64 blocks", n)
	}
}

// Asking costs next to nothing while nobody is blocked, and allocates nothing.
func TestFindAllocatesNothing(t *testing.T) {
	f := func(table *Table, ex *scoring.Exchange, want int) {
		t.Helper()
		room := make([]*policy.Block, 0, 8)
		if n := testing.AllocsPerRun(100, func() { room = table.Find(room[:0], ex, at) }); n != 0 || len(room) != want {
			t.Errorf("%v allocations, %d found", n, len(room))
		}
	}
	ex := from("acme", "203.0.113.7")
	table := newTable(t)
	f(table, ex, 0)
	for _, who := range names(1000) {
		table.ask(from(who, "198.51.100.1"), "caller", time.Hour, at)
	}
	f(table, ex, 0)
	table.ask(ex, "caller", time.Hour, at)
	table.ask(ex, "network", time.Hour, at)
	f(table, ex, 2)
}

func BenchmarkFind(b *testing.B) {
	ex := from("acme", "203.0.113.7")
	for _, n := range []int{0, 1, 1000, 50000} {
		table := newTable(b)
		for _, who := range names(n) {
			table.ask(from(who, "198.51.100.1"), "caller", time.Hour, at)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			room := make([]*policy.Block, 0, 8)
			for b.Loop() {
				room = table.Find(room[:0], ex, at)
			}
		})
	}
}
