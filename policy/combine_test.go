package policy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCombine(t *testing.T) {
	f := func(what string, r Rules, want Decision) {
		t.Helper()
		got := *r.Combine()
		got.Candidates = nil // TestCandidates
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", what, diff)
		}
	}
	rule := func(reasons ...string) (rules []Rule) {
		for _, r := range reasons {
			rules = append(rules, Rule{Reason: r})
		}
		return rules
	}
	f("nothing", Rules{}, Decision{Action: Allow})
	f("deny over challenge over throttle",
		Rules{Deny: rule("d"), Challenge: rule("c"), Throttle: rule("t")}, Decision{Action: Deny, Reason: "d"})
	f("challenge over throttle",
		Rules{Challenge: rule("c"), Throttle: rule("t")}, Decision{Action: Challenge, Reason: "c"})
	f("throttle", Rules{Throttle: rule("t")}, Decision{Action: Throttle, Reason: "t"})
	f("reasons in order, each once",
		Rules{Deny: rule("b", "a", "b", "")}, Decision{Action: Deny, Reason: "a; b"})
	f("an exception lifts all three, but not the budget",
		Rules{Deny: rule("d"), Throttle: rule("t"), Allow: rule("batch night"), Budget: []Budget{{Bytes: 5}}},
		Decision{Action: Allow, Reason: "batch night", Budget: Budget{Bytes: 5}})
	f("an exception with nothing to lift", Rules{Allow: rule("batch night")}, Decision{Action: Allow})
	f("the highest status, the longest time, the first realm; of the winners only",
		Rules{
			Throttle: []Rule{{Status: 503, RetryAfter: time.Second, Realm: "b"}, {Status: 429, RetryAfter: time.Minute, Realm: "a"}},
			Allow:    nil,
		},
		Decision{Action: Throttle, Status: 503, RetryAfter: time.Minute, Realm: "a"})
	f("what the losers want is lost",
		Rules{Deny: []Rule{{Status: 404}}, Throttle: []Rule{{Status: 503, RetryAfter: time.Hour}}},
		Decision{Action: Deny, Status: 404})
	f("the smallest budget of each unit",
		Rules{Budget: []Budget{{Records: 10, Bytes: 900}, {Records: 20, Bytes: 800}, {Usual: 3}, {Usual: 1.5}}},
		Decision{Action: Allow, Budget: Budget{Records: 10, Bytes: 800, Usual: 1.5}})
	f("the highest severity", Rules{Severity: []string{"high", "low", "critical", "medium"}},
		Decision{Action: Allow, Severity: "critical"})
	f("inspect", Rules{Inspect: true}, Decision{Action: Allow, Inspect: true})
	f("the longest quarantine of each entity",
		Rules{Quarantine: []Quarantine{{"session", time.Minute}, {"address", time.Hour}, {"session", time.Hour}}},
		Decision{Action: Allow, Quarantine: []Quarantine{{"address", time.Hour}, {"session", time.Hour}}})
}

func TestHeaderWishes(t *testing.T) {
	wish := func(name, value string, a Action) HeaderWish {
		return HeaderWish{HeaderRule: HeaderRule{Name: name, Value: value}, For: a}
	}
	remove := func(name string) HeaderWish {
		return HeaderWish{HeaderRule: HeaderRule{Name: name, Remove: true}, For: Deny}
	}
	f := func(lost int, want []HeaderRule, wishes ...HeaderWish) {
		t.Helper()
		r := Rules{Request: wishes, Response: wishes}
		d := r.Combine()
		if diff := cmp.Diff(want, d.Request); diff != "" {
			t.Errorf("settled:\n%s", diff)
		}
		if diff := cmp.Diff(want, d.Response); diff != "" {
			t.Errorf("settled in the response:\n%s", diff)
		}
		if d.Conflicts != 2*lost {
			t.Errorf("%d conflicts, want %d", d.Conflicts, 2*lost)
		}
	}
	f(0, []HeaderRule{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}, wish("b", "2", Allow), wish("a", "1", Allow))
	f(0, []HeaderRule{{Name: "a", Value: "1"}}, wish("a", "1", Allow), wish("a", "1", Deny))
	f(1, []HeaderRule{{Name: "a", Value: "1"}}, wish("a", "2", Allow), wish("a", "1", Allow))
	f(1, []HeaderRule{{Name: "a", Value: "2"}}, wish("a", "2", Challenge), wish("a", "1", Throttle))
	f(2, []HeaderRule{{Name: "a", Value: "1"}}, wish("a", "3", Allow), wish("a", "2", Allow), wish("a", "1", Allow), wish("a", "3", Allow))
	f(0, []HeaderRule{{Name: "a", Value: "1"}}, remove("a"), wish("a", "1", Allow))
	f(0, []HeaderRule{{Name: "a", Remove: true}}, remove("a"), remove("a"))
}

func TestCombineOfNothingIsShared(t *testing.T) {
	var r Rules
	if allocs := testing.AllocsPerRun(100, func() { r.Combine() }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	if a, b := r.Combine(), (&Rules{}).Combine(); a != b {
		t.Error("two decisions of nothing")
	}
}
