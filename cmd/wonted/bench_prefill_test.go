package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/wonted-project/wonted/bench"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// TestPrefilledCallersAreKnown: whoever comes in a load, often or rarely, has a
// mature profile, and nothing that it does is unusual.
func TestPrefilledCallersAreKnown(t *testing.T) {
	const callers = 300
	load := bench.Identities{Count: callers, Scenario: bench.ScenarioAPI}
	dir := t.TempDir()
	keyFile := filepath.Join(dir, "key")
	if err := prefill(t.Context(), dir, keyFile, load); err != nil {
		t.Fatal(err)
	}
	key, err := identity.LoadSecret(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	store, report, err := profile.Load(dir, profile.Default(), profile.Meta{KeyID: key.ID(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if report.Records < 2*callers || len(report.Aside) > 0 || report.Dropped > 0 {
		t.Fatalf("loaded: %+v", report)
	}
	who, err := identity.New(identity.Default(), key, 1)
	if err != nil {
		t.Fatal(err)
	}
	p := &past{load: load, who: who, scorer: scoring.New(scoring.Config{Store: store})}
	v := newVisit(1)
	odd := 0
	for i := range callers + bench.Victims {
		v.request.Ordinary(load, i, v.chance)
		p.exchange(v, now)
		if a := &v.exchange.Assessment; !a.Mature || !a.Known {
			t.Fatalf("caller %d: %+v", i, a)
		} else if a.Anomalous {
			odd++
		}
	}
	if odd > 0 {
		t.Errorf("%d of %d ordinary requests are anomalous", odd, callers)
	}
	for range 100 { // and somebody with bad intentions is noticed
		v.request.Attacking(load, v.chance)
		p.exchange(v, now)
		if v.exchange.Assessment.Anomalous {
			odd++
		}
	}
	if odd == 0 {
		t.Error("of 100 attacks none is anomalous")
	}
}
