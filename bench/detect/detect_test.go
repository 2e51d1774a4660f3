package detect

import (
	"bytes"
	"encoding/json"
	"maps"
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

// What is played in a fork leaves no trace: with attacks and without, benign
// traffic is judged the same, and the same records are left.
func TestForksLeaveNoTrace(t *testing.T) {
	play := func(scenarios []string, runs int) (*engine, map[profile.Key]profile.Record) {
		cfg := small()
		cfg.Scenarios, cfg.Runs = scenarios, runs
		e, err := newEngine(cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.store.Close)
		if _, err := e.stream(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		return e, recordsOf(e)
	}
	attacked, left := play(nil, 12)
	quiet, want := play([]string{nullControl}, 10)
	if len(attacked.trials) < 10*len(quiet.trials) {
		t.Fatalf("%d trials with attacks, %d without", len(attacked.trials), len(quiet.trials))
	}
	if len(left) != len(want) || len(want) < 100 {
		t.Errorf("%d records are left, want %d", len(left), len(want))
	}
	differ := 0
	for k, w := range want {
		got := left[k]
		got.Generation, w.Generation = 0, 0
		if got != w {
			differ++
		}
	}
	if differ > 0 {
		t.Errorf("%d of %d records differ", differ, len(want))
	}
	if !slices.Equal(attacked.windows.scores, quiet.windows.scores) {
		t.Error("benign windows are judged otherwise where there were attacks")
	}
}

// recordsOf are all records that the stream can have touched.
func recordsOf(e *engine) map[profile.Key]profile.Record {
	all := map[profile.Key]profile.Record{}
	e.store.Range(func(r *profile.Record) bool {
		all[r.Key] = *r
		return true
	})
	return all
}

// The names of the report are a contract.
func TestReportNames(t *testing.T) {
	var got map[string]any
	if err := json.Unmarshal(jsonOf(t, run(t, small())), &got); err != nil {
		t.Fatal(err)
	}
	want := []string{"budget", "calibration", "classes", "days", "exchanges", "harm", "identities", "null", "partial", "runs_each",
		"scenarios", "seed", "thresholds", "training_days", "version", "windows"}
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
		t.Errorf("the report has %v, want %v", names, want)
	}
}
