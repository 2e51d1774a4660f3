package quarantine

import (
	"strings"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

func withNever(all ...Exempt) func(*Options) { return func(o *Options) { o.Config.Never = all } }

// refuses asks for a quarantine and looks why it is refused; "": it is not.
func refuses(t *testing.T, table *Table, ex *scoring.Exchange, entity, why string) {
	t.Helper()
	done := table.ask(ex, entity, time.Minute, at)
	switch {
	case why == "" && done.Outcome != policy.Imposed,
		why != "" && (done.Outcome != policy.Refused || !strings.Contains(done.Why, why)):
		t.Errorf("%s: %+v, want %q", entity, done, why)
	}
}

// What is nobody's alone is never blocked, by policies and operators, while who
// comes from there may be.
func TestPlacesThatAreNeverBlocked(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.1.1", "fe80::1", "fd00::1", "0.0.0.0"} {
		table := newTable(t)
		ex := from("acme", address)
		refuses(t, table, ex, "address", " is ")
		refuses(t, table, ex, "network", " is ")
		refuses(t, table, ex, "caller", "")
		refuses(t, table, ex, "device", "")
		r, err := table.Place("address", address)
		if err == nil {
			r.Force = true
			_, _, err = table.Add(r, at)
		}
		if err == nil || !strings.Contains(err.Error(), "never blocked") {
			t.Errorf("%s: %v", address, err)
		}
		// Who names nobody is its address.
		health := from("", address)
		refuses(t, newTable(t), health, "device", " is ")
		caller := entity(profile.KindCaller, address)
		caller.Rule = "address"
		health.Entities[profile.KindCaller] = caller
		refuses(t, newTable(t), health, "caller", " is ")
	}
	table := newTable(t, func(o *Options) { o.Config.Private = true })
	refuses(t, table, from("acme", "10.1.2.3"), "address", "")
	refuses(t, table, from("acme", "127.0.0.1"), "address", "loopback")
	table = newTable(t, withNever(Exempt{Address: "203.0.113.128/25"}))
	refuses(t, table, from("acme", "203.0.113.7"), "address", "")
	refuses(t, table, from("acme", "203.0.113.200"), "address", "entry 1")
	refuses(t, table, from("acme", "203.0.113.7"), "network", "entry 1") // it would hit a part of it
}

// Who is named is let through even from what is blocked.
func TestWhoIsNeverBlocked(t *testing.T) {
	probe := func(agent, address string) *scoring.Exchange {
		ex := from("", address)
		ex.Headers = []scoring.Header{{Name: []byte("user-agent"), Value: []byte(agent)}}
		return ex
	}
	table := newTable(t, withNever(
		Exempt{UserAgent: "kube-probe/*", Address: "198.51.100.0/24"},
		Exempt{Caller: "billing-*"},
		Exempt{Caller: policy.Hash(key(profile.KindCaller, []byte("by hash")))},
	))
	refuses(t, table, probe("kube-probe/1.30", "198.51.100.7"), "network", "entry 1")
	refuses(t, table, from("billing-eu", "198.51.100.7"), "caller", "entry 2")
	refuses(t, table, from("billing-eu", "198.51.100.7"), "network", "entry 2")
	refuses(t, table, from("by hash", "198.51.100.7"), "caller", "entry 3")
	refuses(t, table, from("acme", "198.51.100.7"), "network", "")
	f := func(ex *scoring.Exchange, blocked bool) {
		t.Helper()
		if got := len(table.Find(nil, ex, at)) > 0; got != blocked {
			t.Errorf("%s %s: blocked %v", ex.Entities[profile.KindCaller].Name, ex.Address, got)
		}
	}
	f(from("acme", "198.51.100.7"), true)
	f(from("billing-eu", "198.51.100.7"), false)
	f(from("by hash", "198.51.100.7"), false)
	f(probe("kube-probe/1.30", "198.51.100.7"), false)
	f(probe("curl/8", "198.51.100.7"), true)
	refuses(t, table, probe("kube-probe/1.30", "203.0.113.7"), "network", "") // anybody can call itself so

	for _, r := range []Request{
		{Entity: "caller", Key: key(profile.KindCaller, []byte("billing-eu")), Name: "billing-eu", Force: true},
		{Entity: "caller", Key: key(profile.KindCaller, []byte("by hash")), Name: "by hash", Force: true},
	} {
		if _, _, err := table.Add(r, at); err == nil || !strings.Contains(err.Error(), "never blocked") {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
}

// An address that the client may have written itself is not blocked: it would be
// theirs to say who is.
func TestForgedAddressIsNotBlocked(t *testing.T) {
	f := func(source string, trusting bool, why string) {
		t.Helper()
		table := newTable(t, func(o *Options) { o.Trusting = trusting })
		ex := from("acme", "203.0.113.7")
		ex.Source = []byte(source)
		refuses(t, table, ex, "address", why)
		refuses(t, table, ex, "network", why)
		refuses(t, table, ex, "caller", "")
	}
	f("203.0.113.7:4711", false, "")
	f("203.0.113.7:0", false, "clients can write")
	f("203.0.113.7:0", true, "")
}

// What the configuration has come to protect is not taken up from a journal.
func TestJournalGivesWayToTheNeverList(t *testing.T) {
	dir := t.TempDir()
	a, _ := kept(t, dir, at)
	a.ask(from("acme", "203.0.113.7"), "network", time.Hour, at)
	a.ask(from("acme", "203.0.113.7"), "caller", time.Hour, at)
	b := newTable(t, withNever(Exempt{Address: "203.0.113.9"}, Exempt{Caller: "other"}))
	report, err := b.Load(dir, "a key", at, false)
	if err != nil || report.Exempt != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	defer b.journal.file.Close()
	same(t, b, at, "acme")
}
