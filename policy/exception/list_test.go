package exception

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// exchange is one of alice's exports.
func exchange(at time.Time) *scoring.Exchange {
	ex := &scoring.Exchange{Time: at, Address: netip.MustParseAddr("::ffff:203.0.113.7")}
	ex.Route.Name = "GET /v1/export"
	ex.Entities[profile.KindCaller] = scoring.Identity{Kind: profile.KindCaller, Key: profile.Key{Hi: 1, Lo: 2}}
	ex.Entities[profile.KindCredential] = scoring.Identity{Kind: profile.KindCredential, Key: profile.Key{Hi: 3, Lo: 4}}
	return ex
}

func add(t *testing.T, l *List, m Match, ttl time.Duration) Exception {
	t.Helper()
	x, err := l.Add(Exception{Owner: "jo", Reason: "a migration", Expires: noon.Add(ttl), Match: m}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// An exception is of exchanges to which all applies that it names.
func TestMatch(t *testing.T) {
	alice, key := policy.Hash(profile.Key{Hi: 1, Lo: 2}), policy.Hash(profile.Key{Hi: 3, Lo: 4})
	other := policy.Hash(profile.Key{Hi: 9, Lo: 9})
	f := func(want bool, m Match) {
		t.Helper()
		l := New()
		x := add(t, l, m, time.Hour)
		id, ok := l.Excepted(exchange(noon), "exports")
		if ok != want || want && id != x.ID {
			t.Errorf("%s: %v (%s)", m.Of(), ok, id)
		}
	}
	f(true, Match{Caller: alice})
	f(true, Match{Credential: key})
	f(true, Match{Address: "203.0.113.7"})
	f(true, Match{Network: "203.0.113.0/24"})
	f(true, Match{Network: "203.0.113.9/24"})
	f(true, Match{Network: "::ffff:203.0.113.0/120"})
	f(true, Match{Route: "GET /v1/export"})
	f(true, Match{Rule: "exports"})
	f(true, Match{Caller: alice, Credential: key, Address: "203.0.113.7", Network: "203.0.0.0/16", Route: "GET /v1/export", Rule: "exports"})
	f(false, Match{Caller: other})
	f(false, Match{Caller: key})
	f(false, Match{Credential: other})
	f(false, Match{Address: "203.0.113.8"})
	f(false, Match{Network: "203.0.114.0/24"})
	f(false, Match{Network: "2001:db8::/32"})
	f(false, Match{Route: "GET /v1/exports"})
	f(false, Match{Rule: "export"})
	f(false, Match{Caller: alice, Rule: "bulk"})
	f(false, Match{Caller: other, Rule: "exports"})
	f(false, Match{Caller: alice, Network: "198.51.100.0/24"})
}

// It is over at the very moment that it names, and listed for a while after.
func TestExpiry(t *testing.T) {
	l := New()
	x := add(t, l, Match{Rule: "exports"}, time.Hour)
	f := func(after time.Duration, want bool, state string) {
		t.Helper()
		if _, ok := l.Excepted(exchange(noon.Add(after)), "exports"); ok != want {
			t.Errorf("after %v: %v", after, ok)
		}
		all := l.All(noon.Add(after))
		if state == "" && len(all) > 0 || state != "" && (len(all) != 1 || all[0].State != state) {
			t.Errorf("after %v: %+v", after, all)
		}
	}
	f(0, true, "active")
	f(time.Hour-1, true, "active")
	f(time.Hour, false, "expired")
	f(time.Hour+1, false, "expired")
	f(time.Hour+Keep, false, "expired")
	f(time.Hour+Keep+1, false, "")
	if _, ok := l.Remove(x.ID, noon.Add(time.Hour+Keep+1)); ok {
		t.Error("removed what is listed no more")
	}
}

func TestHits(t *testing.T) {
	l := New()
	x := add(t, l, Match{Rule: "exports"}, time.Hour)
	y := add(t, l, Match{Rule: "bulk"}, 2*time.Hour)
	for i := range 3 {
		l.Hit(x.ID, noon.Add(time.Duration(i)*time.Minute))
	}
	l.Hit("x-gone", noon)
	all := l.All(noon)
	if all[0].ID != x.ID || all[0].Hits != 3 || !all[0].LastHit.Equal(noon.Add(2*time.Minute)) || all[1].ID != y.ID || all[1].Hits != 0 || all[1].LastHit != nil {
		t.Errorf("%+v", all)
	}
	// What was saved is what is read again.
	again := New()
	if err := again.Decode(l.Encode(noon)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all, again.All(noon)); diff != "" {
		t.Error(diff)
	}
	if id, ok := again.Excepted(exchange(noon), "bulk"); !ok || id != y.ID {
		t.Error("what was read again excepts nobody")
	}
	if gone, ok := l.Remove(x.ID, noon); !ok || gone.ID != x.ID {
		t.Errorf("%+v", gone)
	}
	if _, ok := l.Excepted(exchange(noon), "exports"); ok {
		t.Error("one that was removed is in force")
	}
}

func TestWhatIsNoException(t *testing.T) {
	f := func(want string, change func(*Exception)) {
		t.Helper()
		x := Exception{Owner: "jo", Reason: "why", Expires: noon.Add(time.Hour), Match: Match{Rule: "exports"}}
		change(&x)
		l := New()
		if _, err := l.Add(x, noon); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ";") && !strings.Contains(err.Error(), ": ") {
			t.Errorf("%+v: %v, want %q", x, err, want)
		}
		if len(l.All(noon)) > 0 {
			t.Errorf("%+v is listed", x)
		}
	}
	f("owner: it is missing", func(x *Exception) { x.Owner = " " })
	f("reason: it is missing", func(x *Exception) { x.Reason = "" })
	f("reason: it has 301 bytes", func(x *Exception) { x.Reason = strings.Repeat("x", 301) })
	f("has passed", func(x *Exception) { x.Expires = noon })
	f("has passed", func(x *Exception) { x.Expires = time.Time{} })
	f("more than a year", func(x *Exception) { x.Expires = noon.Add(Longest + 1) })
	f("would be for everybody", func(x *Exception) { x.Match = Match{} })
	f("would be for everybody", func(x *Exception) { x.Match = Match{CallerName: "acme"} })
	f("no keyed hash", func(x *Exception) { x.Caller = "acme" })
	f("no keyed hash", func(x *Exception) { x.Credential = strings.Repeat("x", 32) })
	f("address:", func(x *Exception) { x.Address = "203.0.113.0/24" })
	f("address:", func(x *Exception) { x.Address = "fe80::1%eth0" })
	f("network:", func(x *Exception) { x.Network = "203.0.113.7" })
	f("network:", func(x *Exception) { x.Network = "203.0.113.0/33" })
}

func TestTheListIsBounded(t *testing.T) {
	l := New()
	for i := range Most {
		add(t, l, Match{Rule: fmt.Sprint("r", i)}, time.Hour)
	}
	x := Exception{Owner: "jo", Reason: "one more", Expires: noon.Add(3 * time.Hour), Match: Match{Rule: "exports"}}
	if _, err := l.Add(x, noon); err == nil {
		t.Error("one too many was taken")
	}
	if _, err := l.Add(x, noon.Add(time.Hour)); err != nil {
		t.Errorf("expired ones take the place: %v", err)
	}
}

func TestADamagedFileChangesNothing(t *testing.T) {
	l := New()
	add(t, l, Match{Rule: "exports"}, time.Hour)
	f := func(text string) {
		t.Helper()
		if err := l.Decode([]byte(text)); err == nil || strings.Contains(err.Error(), "%!") {
			t.Errorf("%q: %v", text, err)
		}
		if len(l.All(noon)) != 1 {
			t.Fatalf("%q took the list away", text)
		}
	}
	f(``)
	f(`{"v":1,"exceptions":[`)
	f(`{"v":2,"exceptions":[]}`)
	f(`{"v":1,"exceptions":[{"id":"x-1","caller":"acme"}]}`)
	f(`{"v":1,"exceptions":[{"id":"x-1"}]}`)
	f(`{"v":1,"exceptions":[{"rule":"exports"}]}`)
	good := string(l.Encode(noon))
	f(good[:len(good)/2])
}

// Whoever changes the list while it is asked: an exception that stays is always
// found, one that has ended never.
func TestTheListMayChangeUnderway(t *testing.T) {
	l := New()
	stays := add(t, l, Match{Rule: "exports"}, time.Hour)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 300 {
				x, err := l.Add(Exception{Owner: "jo", Reason: "why", Expires: noon.Add(time.Hour), Match: Match{Rule: "bulk"}}, noon)
				if err != nil {
					t.Error(err)
				}
				l.Hit(stays.ID, noon)
				if id, ok := l.Excepted(exchange(noon), "exports"); !ok || id != stays.ID {
					t.Error("one that stays was not found")
				}
				l.Remove(x.ID, noon)
			}
		})
	}
	all.Wait()
	if got := l.All(noon); len(got) != 1 || got[0].Hits != 1200 {
		t.Errorf("%+v", got)
	}
}

// Random lists: found is exactly what a plain reading of them says.
func TestExceptedAsModelled(t *testing.T) {
	rules, routes := []string{"", "a", "b"}, []string{"", "GET /x", "GET /v1/export"}
	networks := []string{"", "203.0.113.0/24", "203.0.0.0/16", "198.51.100.0/24"}
	rapid.Check(t, func(t *rapid.T) {
		l := New()
		var all []Exception
		for range rapid.IntRange(0, 6).Draw(t, "n") {
			m := Match{
				Rule: rapid.SampledFrom(rules).Draw(t, "rule"), Route: rapid.SampledFrom(routes).Draw(t, "route"),
				Network: rapid.SampledFrom(networks).Draw(t, "network"),
			}
			if m == (Match{}) {
				continue
			}
			ttl := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "ttl"))
			x, err := l.Add(Exception{Owner: "jo", Reason: "why", Expires: noon.Add(ttl), Match: m}, noon)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, x)
		}
		at := noon.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "at")))
		rule := rapid.SampledFrom(rules[1:]).Draw(t, "asked")
		want := ""
		for _, x := range all {
			inside := x.Network == "" || strings.HasPrefix("203.0.113.7", strings.TrimSuffix(strings.TrimSuffix(x.Network, ".0.0/16"), ".0/24")+".")
			if want == "" && at.Before(x.Expires) && (x.Rule == "" || x.Rule == rule) && (x.Route == "" || x.Route == "GET /v1/export") && inside {
				want = x.ID
			}
		}
		if got, _ := l.Excepted(exchange(at), rule); got != want {
			t.Fatalf("%q, want %q of %+v", got, want, all)
		}
	})
}

func TestAskingAllocatesNothing(t *testing.T) {
	l := New()
	for i := range 50 {
		add(t, l, Match{Rule: fmt.Sprint("r", i), Network: "203.0.113.0/24"}, time.Hour)
	}
	ex := exchange(noon)
	if n := testing.AllocsPerRun(1000, func() { l.Excepted(ex, "exports") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
