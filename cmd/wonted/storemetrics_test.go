package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wonted-project/wonted/scoring/profile"
)

// What the store counts comes out under these names; dashboards hold on to them.
func TestStoreMetrics(t *testing.T) {
	st := profile.Stats{
		Total: 30, Probation: 10, Protected: 20, Below: 40, CapacityRecords: 100, Bytes: 1, CapacityBytes: 2,
		Created: 3, Stowed: 50, Promoted: 9, Found: 5, Missed: 6, EvictedProbation: 7, EvictedProtected: 20, Overwritten: 12,
	}
	st.Records[profile.KindCaller] = 30
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(newStoreCollector(func() profile.Stats { return st }))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += " " + l.GetValue()
			}
			if v := m.GetGauge().GetValue() + m.GetCounter().GetValue(); v != 0 {
				got[name] = v
			}
		}
	}
	want := map[string]float64{
		"wonted_profiles caller":                     30,
		"wonted_profiles_below":                      40,
		"wonted_profiles_capacity":                   100,
		"wonted_profile_memory_bytes":                1,
		"wonted_profile_memory_limit_bytes":          2,
		"wonted_profile_retention_ratio":             0.75, // 60 of 80
		"wonted_profiles_created_total":              3,
		"wonted_profile_lookups_total slab":          5,
		"wonted_profile_lookups_total below":         9,
		"wonted_profile_lookups_total none":          6,
		"wonted_profile_moves_total down":            50,
		"wonted_profile_moves_total up":              9,
		"wonted_profile_evictions_total probation":   7,
		"wonted_profile_evictions_total established": 8,
		"wonted_profile_evictions_total overwritten": 12,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
