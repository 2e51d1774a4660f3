package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/calibrate"
)

// Calibration comes out under these names; dashboards hold on to them.
func TestCalibrationMetrics(t *testing.T) {
	st := calibrate.Stats{
		Budget:     calibrate.Budget{PerIdentityDay: 0.002, PerDay: 50},
		Realised:   calibrate.Realised{Days: 4000, Alerts: 90, Statistical: 95, Campaigns: 3, LateDays: 4000, LateAlerts: 80},
		Thresholds: [2]float64{3.5, 4.5}, Capped: true, Learning: true, MeanE: 0.9, ScoreSum: 12.5,
		Detectors: []calibrate.DetectorStats{{Name: "rate", Ran: 100, Fired: [4]uint64{10, 1, 0, 0}}},
	}
	st.Scores[0], st.Scores[2], st.Scores[calibrate.MaxScore] = 7, 2, 1
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(newCalibrationCollector(func() calibrate.Stats { return st }))
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
			if h := m.GetHistogram(); h != nil {
				got[name+"_count"] = float64(h.GetSampleCount())
				got[name+"_bucket 1"] = float64(h.Bucket[0].GetCumulativeCount())
				got[name+"_bucket 3"] = float64(h.Bucket[2].GetCumulativeCount())
			}
			if v := m.GetGauge().GetValue() + m.GetCounter().GetValue(); v != 0 {
				got[name] = v
			}
		}
	}
	want := map[string]float64{
		"wonted_budget_target":                 2,
		"wonted_budget_realised":               20,
		"wonted_budget_threshold false":        3.5,
		"wonted_budget_threshold true":         4.5,
		"wonted_budget_capped":                 1,
		"wonted_budget_overrun":                1,
		"wonted_learning":                      1,
		"wonted_evalue_mean":                   0.9,
		"wonted_budget_identity_days_total":    4000,
		"wonted_alerts_total statistical":      95,
		"wonted_alerts_total campaign":         3,
		"wonted_detector_windows_total rate 0": 100,
		"wonted_detector_windows_total rate 1": 10,
		"wonted_detector_windows_total rate 2": 1,
		"wonted_score_count":                   10,
		"wonted_score_bucket 1":                7,
		"wonted_score_bucket 3":                9,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// The calibrator can tell all detectors apart.
func TestCalibrationKnowsTheDetectors(t *testing.T) {
	cfg := calibration(config.Default().Budget)
	if len(cfg.Detectors) != scoring.Detectors || cfg.Budget.PerIdentityDay != 0.001 || cfg.Budget.PerDay != 50 {
		t.Errorf("%+v", cfg)
	}
	calibrate.New(cfg)
}

// What was saved beside the profiles is found again; a budget is taken up.
func TestCalibrationSurvivesARestart(t *testing.T) {
	cfg := config.Default()
	cfg.DataDir = t.TempDir()
	var log strings.Builder
	first, err := newService(cfg, zerolog.New(&log))
	if err != nil {
		t.Fatal(err)
	}
	next := *cfg
	next.Budget = config.Budget{Alerts: 5, Max: 7}
	first.reconfigure(&next, nil)
	if b := first.peers.Stats().Budget; b.PerIdentityDay != 0.005 || b.PerDay != 7 {
		t.Errorf("after a reload: %+v", b)
	}
	if strings.Contains(log.String(), "restart needed") {
		t.Error(log.String())
	}
	if err := first.save(); err != nil {
		t.Fatal(err)
	}
	again := *cfg
	log.Reset()
	second, err := newService(&again, zerolog.New(&log))
	if err != nil || !strings.Contains(log.String(), `"message":"loaded the calibration"`) {
		t.Errorf("%v: %s", err, log.String())
	}
	second.store.Close()
	first.store.Close()
}
