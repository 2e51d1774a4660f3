package scoring

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/wonted-project/wonted/scoring/profile"
)

func TestCohortRulesAreHeldAgainstTheCaller(t *testing.T) {
	n, err := CohortRules{
		{Name: "partners", Identity: "batch-*"},
		{Name: "inside", Network: "10.1.0.0/8", Rule: "header x-api-key"},
		{Name: "acme", Identity: "acme"},
		{Name: "partners", Identity: "*.example"},
	}.compile()
	if err != nil {
		t.Fatal(err)
	}
	f := func(name, rule, address, want string) {
		t.Helper()
		ex := &Exchange{}
		ex.Entities[profile.KindCaller] = Identity{Kind: profile.KindCaller, Name: []byte(name), Rule: rule}
		ex.Address, _ = netip.ParseAddr(address)
		if c := n.of(ex); n.names[c] != want {
			t.Errorf("%q by %q from %s is %q, want %q", name, rule, address, n.names[c], want)
		}
	}
	f("batch-7", "", "", "partners")
	f("batch-", "", "", "partners")
	f("a.example", "", "", "partners")
	f("acme", "", "", "acme")
	f("acme2", "", "", "new")
	f("x", "header x-api-key", "10.2.3.4", "inside")
	f("x", "header x-api-key", "::ffff:10.2.3.4", "inside")
	f("x", "header x-api-key", "192.0.2.1", "new")
	f("x", "header x-api-key", "", "new")
	f("x", "address", "10.2.3.4", "new")
}

func TestBadCohortRules(t *testing.T) {
	f := func(want string, rules ...CohortRule) {
		t.Helper()
		if err := CohortRules(rules).Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f(`rule 1: "" is no name`, CohortRule{Identity: "a"})
	f(`rule 1: "Big Ones" is no name`, CohortRule{Name: "Big Ones", Identity: "a"})
	f("rule 1: \"person\" is a class", CohortRule{Name: "person", Identity: "a"})
	f("rule 2: it matches nobody", CohortRule{Name: "a", Identity: "a"}, CohortRule{Name: "b"})
	f("more than one *", CohortRule{Name: "a", Identity: "*a*"})
	f("network \"10.0.0.0\" is none", CohortRule{Name: "a", Network: "10.0.0.0"})
	var nine, many []CohortRule
	for i := range 9 {
		nine = append(nine, CohortRule{Name: fmt.Sprint("c", i), Identity: "x"})
	}
	for range 65 {
		many = append(many, CohortRule{Name: "c", Identity: "x"})
	}
	f("rule 9: \"c8\" is the ninth name", nine...)
	f("at most 64", many...)
	if err := CohortRules(nine[:8]).Validate(); err != nil {
		t.Error(err)
	}
}

// Whom a rule names is compared with those, and learns and alarms as before.
func TestNamedCohortIsTheAssessments(t *testing.T) {
	w := newWorld(t)
	w.scorer = New(Config{Store: w.store, Routes: w.routes, Cohorts: CohortRules{{Name: "partners", Identity: "acme"}}})
	w.live(6, map[string]habit{"acme": hourly(4), "brix": hourly(4)})
	a := w.begin(call{caller: "acme"}).Assessment
	if a.Cohort != "partners" || a.Peers != (Peers{FirstNamed, Mature}) {
		t.Errorf("%q %+v", a.Cohort, a.Peers)
	}
	if a := w.begin(call{caller: "brix"}).Assessment; a.Cohort == "partners" || a.Peers.Cohort >= FirstNamed {
		t.Errorf("%q %+v", a.Cohort, a.Peers)
	}
	n := &w.scorer.norms.all
	if n[FirstNamed].Today.Gaps[0].N+n[FirstNamed].Last.N == 0 && n[FirstNamed].Traits.Means[1].N == 0 {
		t.Error("its days are not its cohort's")
	}
}
