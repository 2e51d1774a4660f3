package quarantine

import (
	"testing"
	"time"
)

// Envoy knows addresses only. Where one who is never blocked may come from a
// network that is, wonted must be asked.
func TestWhoIsNeverBlockedIsNotRefusedAtTheEdge(t *testing.T) {
	f := func(e Exempt, want int, warnings int) {
		t.Helper()
		table := newTable(t, func(o *Options) { o.Config.Never = []Exempt{e} })
		for _, address := range []string{"203.0.113.7", "198.51.100.7"} {
			if done := table.ask(from("acme", address), "network", time.Hour, at); done.Outcome != "imposed" {
				t.Fatalf("%+v: %+v", e, done)
			}
		}
		if got := table.Edge(); len(got) != want {
			t.Errorf("%+v: Envoy refuses %v, want %d", e, got, want)
		}
		if got := table.config.Warnings(); len(got) != warnings {
			t.Errorf("%+v: %q", e, got)
		}
	}
	f(Exempt{Address: "192.0.2.1"}, 2, 0)
	f(Exempt{Address: "203.0.113.200", UserAgent: "kube-probe/*"}, 1, 0)
	f(Exempt{Address: "203.0.113.200", Caller: "partner"}, 1, 0)
	f(Exempt{Address: "192.0.2.1", Caller: "partner"}, 2, 0)
	f(Exempt{Caller: "partner"}, 0, 1)
	f(Exempt{UserAgent: "kube-probe/*"}, 0, 1)
}
