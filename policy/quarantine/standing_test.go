package quarantine

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// good is an exchange that nothing was objected to.
func good(caller, address string) *scoring.Exchange {
	ex := from(caller, address)
	ex.Assessment.Mature, ex.Status = true, 200
	return ex
}

func network24(address string) profile.Key {
	return from("", address).Entities[profile.KindNetwork].Key
}

func TestCollateralIsCounted(t *testing.T) {
	table := newTable(t)
	for i := range 30 {
		for range 3 {
			table.Note(good(fmt.Sprintf("caller-%d", i), fmt.Sprintf("203.0.113.%d", i)), at)
		}
	}
	cold := good("cold", "203.0.113.99")
	cold.Assessment.Mature = false
	table.Note(cold, at)
	failed := good("refused", "203.0.113.99")
	failed.Status = 403
	table.Note(failed, at)
	f := func(key profile.Key, now time.Time, want int) {
		t.Helper()
		if got := table.standing.callers(key, now); got != want {
			t.Errorf("%d callers, want %d", got, want)
		}
	}
	f(network24("203.0.113.1"), at, 30)
	f(from("", "203.0.113.1").Entities[profile.KindAddress].Key, at, 1)
	f(from("", "203.0.113.1").Entities[profile.KindDevice].Key, at, 30)
	f(network24("203.0.113.1"), at.Add(6*24*time.Hour), 30)
	f(network24("203.0.113.1"), at.Add(7*24*time.Hour), 0)
	for prefix, want := range map[string]int{"203.0.0.0/16": 30, "203.0.113.0/24": 30, "203.0.113.0/28": 16, "198.51.0.0/16": 0} {
		if got := table.standing.within(netip.MustParsePrefix(prefix), at); got != want {
			t.Errorf("%s: %d callers, want %d", prefix, got, want)
		}
	}

	// A policy is refused, an operator as well unless they force it.
	ex := from("mallory", "203.0.113.7")
	refuses(t, table, ex, "network", "30 callers in good standing have used it within a week, and quarantine.max_callers is 20")
	refuses(t, table, ex, "device", "30 callers")
	refuses(t, table, ex, "address", "")
	r, err := table.Place("network", "203.0.113.0/24")
	if err != nil {
		t.Fatal(err)
	}
	if p, err := table.Preview(r, at); err == nil || p.Callers != 30 || p.Limit != 20 || !strings.Contains(err.(*Refusal).Hint, "--force") {
		t.Errorf("%+v, %v", p, err)
	}
	r.Force, r.Author, r.Reason = true, "alice", "why"
	b, p, err := table.Add(r, at)
	if err != nil || p.Callers != 30 || b.Author != "alice" || b.Until.Sub(at) != 5*time.Minute {
		t.Errorf("%+v %+v, %v", b, p, err)
	}
	if got := table.by(ex, at); len(got) != 2 {
		t.Errorf("blocked by %v", got)
	}
}

// As long as nobody is mature, who is accepted counts: else nothing would keep a
// policy from blocking an office on the first day.
func TestCollateralOnTheFirstDay(t *testing.T) {
	table := newTable(t)
	come := func(from, to int, mature bool) int {
		for i := from; i < to; i++ {
			ex := good(fmt.Sprintf("caller-%d", i), "203.0.113.7")
			ex.Assessment.Mature = mature
			table.Note(ex, at)
		}
		return table.standing.callers(network24("203.0.113.7"), at)
	}
	if n := come(0, 25, false); n != 25 {
		t.Errorf("%d callers, where nobody is mature", n)
	}
	refuses(t, table, from("mallory", "203.0.113.7"), "network", "25 callers in good standing")
	if n := come(25, 26, true); n != 26 {
		t.Errorf("%d callers, where one is mature", n)
	}
	if n := come(26, 50, false); n != 26 {
		t.Errorf("%d callers, when others came who are not", n)
	}
}

// What is known of a network does not grow with who uses it, nor with how many
// there are, and the busiest stay known.
func TestStandingIsBounded(t *testing.T) {
	table := newTable(t)
	for i := range 1000 {
		table.Note(good(fmt.Sprintf("caller-%d", i), "203.0.113.7"), at)
	}
	if got := table.standing.callers(network24("203.0.113.7"), at); got != counted {
		t.Errorf("%d callers", got)
	}
	for i := range 100_000 {
		table.Note(good("caller-7", fmt.Sprintf("2001:db8:%x:%x::1", i>>8, i&255)), at)
	}
	if got := table.standing.callers(network24("203.0.113.7"), at); got != counted {
		t.Errorf("after a flood %d callers", got)
	}
	// Who has not come for a week makes room.
	later := at.Add(8 * 24 * time.Hour)
	for i := range 5 {
		table.Note(good(fmt.Sprintf("new-%d", i), "203.0.113.7"), later)
	}
	if got := table.standing.callers(network24("203.0.113.7"), later); got != 5 {
		t.Errorf("a week later %d callers", got)
	}
}

func TestNoteAllocatesNothing(t *testing.T) {
	table := newTable(t)
	all := make([]*scoring.Exchange, 100)
	for i := range all {
		all[i] = good(fmt.Sprintf("caller-%d", i), fmt.Sprintf("203.0.113.%d", i))
		table.Note(all[i], at)
	}
	now := at.Add(24 * time.Hour) // every one anew
	if n := testing.AllocsPerRun(100, func() { table.Note(all[rand.IntN(len(all))], now) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestStandingSurvives(t *testing.T) {
	a := newTable(t)
	for i := range 30 {
		a.Note(good(fmt.Sprintf("caller-%d", i), fmt.Sprintf("203.0.113.%d", i)), at)
	}
	text := a.EncodeStanding("a key", at)
	b := newTable(t)
	if err := b.DecodeStanding(text, "a key"); err != nil {
		t.Fatal(err)
	}
	if got := b.standing.callers(network24("203.0.113.1"), at); got != 30 {
		t.Errorf("%d callers", got)
	}
	if string(b.EncodeStanding("a key", at)) != string(text) {
		t.Error("what was saved again differs")
	}
	f := func(text []byte, keyID, reason string) {
		t.Helper()
		c := newTable(t)
		err := c.DecodeStanding(text, keyID)
		if no, ok := err.(interface{ Reason() string }); !ok || no.Reason() != reason {
			t.Errorf("%v, want %q", err, reason)
		}
	}
	f(text, "another key", "foreign")
	f(text[:len(text)/2], "a key", "torn")
	f(nil, "a key", "torn")

	// Who is forgotten is nowhere.
	who := key(profile.KindCaller, []byte("caller-3"))
	b.ask(from("caller-3", "203.0.113.3"), "caller", time.Minute, at)
	b.Sweep(at.Add(time.Hour))
	b.Forget(who)
	if got := b.standing.callers(network24("203.0.113.1"), at); got != 29 {
		t.Errorf("%d callers", got)
	}
	if r := b.index.Load().find(who); r != nil {
		t.Errorf("%+v is remembered", r)
	}
	b.Forget(network24("203.0.113.1"))
	if got := b.standing.callers(network24("203.0.113.1"), at); got != 0 {
		t.Errorf("of a network that was forgotten %d callers", got)
	}
}

// Four callers share an address; all have one device.
func BenchmarkNote(b *testing.B) {
	for _, callers := range []int{1, 1_000, 30_000} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			table, all := newTable(b), make([]*scoring.Exchange, callers)
			for i := range all {
				at := i / 4
				all[i] = good(fmt.Sprintf("caller-%d", i), fmt.Sprintf("203.%d.%d.7", at>>8, at&255))
			}
			chance := rand.New(rand.NewPCG(1, 2))
			b.ReportAllocs()
			for b.Loop() {
				table.Note(all[chance.IntN(callers)], at)
			}
		})
	}
}

// Networks of every length are found by the address.
func TestWideNetworks(t *testing.T) {
	table := newTable(t)
	f := func(network, address string, want bool) {
		t.Helper()
		r, err := table.Place("network", network)
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := table.Add(r, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(table.Find(nil, from("acme", address), at)) > 0; got != want {
			t.Errorf("%s: %s is blocked: %v", network, address, got)
		}
		table.Release(b.ID, "alice", at)
		if table.wide.Load() != nil || len(table.Find(nil, from("acme", address), at)) > 0 {
			t.Errorf("%s was released", network)
		}
	}
	f("203.0.0.0/16", "203.0.113.7", true)
	f("203.0.113.0/26", "203.0.113.7", true)
	f("203.0.113.0/26", "203.0.113.77", false)
	f("203.0.113.0/24", "203.0.113.77", true)
	f("203.0.113.9", "203.0.113.77", true)
	f("2001:db8::/32", "2001:db8:1::7", true)
	f("2001:db8::/32", "2001:db9:1::7", false)
	f("2001:db8:1:2:3::/80", "2001:db8:1:2:3::7", true)
	f("::ffff:203.0.113.0/120", "203.0.113.7", true)
	var none []policy.Block
	if got := table.List(at); len(got) != len(none) {
		t.Errorf("%v", got)
	}
}
