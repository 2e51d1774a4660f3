package detect

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/wonted-project/wonted/scoring/profile"
)

// small is the least that has everything in it.
func small() Config { return Config{Seed: 7, Identities: 80, Days: 7, Runs: 10} }

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

func TestSameSeedSameReport(t *testing.T) {
	a, b := jsonOf(t, run(t, small())), jsonOf(t, run(t, small()))
	if !bytes.Equal(a, b) {
		t.Error("two runs of one seed differ")
	}
	other := small()
	other.Seed++
	if bytes.Equal(a, jsonOf(t, run(t, other))) {
		t.Error("another seed gives the same report")
	}
}

// What is played in a fork leaves every record as it was.
func TestForksPutRecordsBack(t *testing.T) {
	cfg := small()
	e := newEngine(cfg)
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
		for {
			id := e.everybody[rng.IntN(len(e.everybody))]
			if !e.mature[id.Number] || s.Suits != nil && !s.Suits(id) {
				continue
			}
			victim := id.copy(nil)
			victim.next = now
			e.plan = []planned{{at: now, scenario: i, victim: id, other: id}}
			e.try(&moment{victim: victim, others: id.copy(nil)})
			break
		}
		if n := e.trials[len(e.trials)-1].requests; n == 0 {
			t.Errorf("%s played nothing", s.Name)
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
	few, many := small(), small()
	few.Scenarios = []string{nullControl}
	many.Runs = 20
	a, b := run(t, few), run(t, many)
	if !reflect.DeepEqual(a.Thresholds, b.Thresholds) || !reflect.DeepEqual(a.Budget, b.Budget) {
		t.Error("budget or thresholds depend on the attacks that were played")
	}
}

// The names of the report are a contract.
func TestReportNames(t *testing.T) {
	var got map[string]any
	if err := json.Unmarshal(jsonOf(t, run(t, small())), &got); err != nil {
		t.Fatal(err)
	}
	want := []string{"budget", "calibration", "classes", "controller", "days", "exchanges", "harm", "identities", "informed", "not_beaten", "null", "partial", "runs_each",
		"scenarios", "seed", "thresholds", "training_days", "version", "windows"}
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
		t.Errorf("the report has %v, want %v", names, want)
	}
}
