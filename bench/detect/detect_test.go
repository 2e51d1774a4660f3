package detect

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/wonted-project/wonted/scoring/profile"
)

// small is the least that has everything in it: of 400 seeds, the one whose
// callers say least among those with two of every class.
func small() Config { return Config{Seed: 233, Identities: 50, Days: 7, Runs: 10} }

func run(t *testing.T, cfg Config) *Report {
	t.Helper()
	r, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func jsonOf(t *testing.T, r *Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.JSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// whole is one run of everything, which tests share: it takes its time under the
// race detector.
var whole = sync.OnceValues(func() (*Report, error) { return Run(context.Background(), small()) })

func wholeReport(t *testing.T) *Report {
	t.Helper()
	r, err := whole()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSameSeedSameReport(t *testing.T) {
	if !bytes.Equal(jsonOf(t, wholeReport(t)), jsonOf(t, run(t, small()))) {
		t.Error("two runs of one seed differ")
	}
	other := small()
	other.Seed++
	other.Scenarios = []string{nullControl}
	if reflect.DeepEqual(wholeReport(t).Thresholds, run(t, other).Thresholds) {
		t.Error("another seed has the same thresholds")
	}
}

// What is played in a fork leaves every record as it was, and nothing else by
// which it would go otherwise a second time.
func TestForksPutRecordsBack(t *testing.T) {
	cfg := small()
	e := newEngine(cfg, cfg.Days)
	t.Cleanup(e.store.Close)
	out := make(chan *batchOf, 8)
	go generate(t.Context(), e.world, e.everybody, nil, out, nil)
	for b := range out {
		if b.calls[0].At > e.world.evaluates()+day {
			continue
		}
		if err := e.playBatch(b); err != nil {
			t.Fatal(err)
		}
	}
	want := recordsOf(e)
	if len(want) < 100 {
		t.Fatalf("only %d records", len(want))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	now := e.world.evaluates() + 30*hour
	for i := range e.scenarios {
		s := &e.scenarios[i]
		if s.Play == nil {
			continue
		}
		victims := slices.DeleteFunc(slices.Clone(e.everybody), func(id *Identity) bool {
			return !e.mature[id.Number] || s.Suits != nil && !s.Suits(id)
		})
		if len(victims) == 0 {
			t.Fatalf("%s suits nobody", s.Name)
		}
		id := victims[rng.IntN(len(victims))]
		e.plan = []planned{{at: now, scenario: i, victim: id, other: id}}
		for range 2 {
			victim := id.copy(nil)
			victim.next = now
			e.try(&moment{victim: victim, others: id.copy(nil)})
		}
		first, again := &e.trials[len(e.trials)-2], &e.trials[len(e.trials)-1]
		if first.requests == 0 {
			t.Errorf("%s played nothing", s.Name)
		}
		if !reflect.DeepEqual(first, again) {
			t.Errorf("%s goes otherwise the second time", s.Name)
		}
		if got := recordsOf(e); !maps.Equal(got, want) {
			t.Errorf("%s left its traces: %d records, want %d", s.Name, len(got), len(want))
			want = got
		}
	}
	t.Logf("%d scenarios, %d records", len(e.scenarios), len(want))
}

func recordsOf(e *engine) map[profile.Key]profile.Record {
	all := map[profile.Key]profile.Record{}
	e.store.Range(func(r *profile.Record) bool {
		all[r.Key] = *r
		return true
	})
	return all
}

// Attacks do not change what benign callers are told.
func TestBenignFiguresAreWithoutAttacks(t *testing.T) {
	few := small()
	few.Scenarios = []string{nullControl}
	a, b := run(t, few), wholeReport(t)
	if !reflect.DeepEqual(a.Thresholds, b.Thresholds) || !reflect.DeepEqual(a.Budget, b.Budget) {
		t.Error("budget or thresholds depend on the attacks that were played")
	}
}

// The names of the report are a contract.
func TestReportNames(t *testing.T) {
	var got map[string]any
	if err := json.Unmarshal(jsonOf(t, wholeReport(t)), &got); err != nil {
		t.Fatal(err)
	}
	want := []string{"budget", "calibration", "classes", "controller", "days", "exchanges", "harm", "identities", "informed", "lasting_days", "not_beaten", "null", "partial", "runs_each",
		"scenarios", "seed", "thresholds", "training_days", "version", "windows"}
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
		t.Errorf("the report has %v, want %v", names, want)
	}
}
