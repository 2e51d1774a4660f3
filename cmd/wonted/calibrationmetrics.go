package main

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wonted-project/wonted/scoring/calibrate"
)

// calibrationCollector reads the calibrator when it is scraped.
type calibrationCollector struct {
	stats func() calibrate.Stats

	target, realised, threshold, capped, overrun, learning *prometheus.Desc
	days, alerts, scores, windows, meanE                   *prometheus.Desc
}

func newCalibrationCollector(stats func() calibrate.Stats) *calibrationCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &calibrationCollector{
		stats:     stats,
		target:    desc("wonted_budget_target", "Alerts that the budget allows, per 1,000 identities and day."),
		realised:  desc("wonted_budget_realised", "Alerts as they came of late, per 1,000 identities and day: an identity on one day is one, and so is a campaign. Counted once peers are known."),
		threshold: desc("wonted_budget_threshold", "Score at which an exchange is anomalous: where the budget stands, for identities that are mature and for newcomers.", "mature"),
		capped:    desc("wonted_budget_capped", "1 while max_alerts_per_day is used up: the threshold is higher by 2 for who has had no alert today."),
		overrun:   desc("wonted_budget_overrun", "1 while clearly more alerts come than the budget allows: by more than a fifth, and than chance would."),
		learning:  desc("wonted_learning", "1 during the learning phase: most exchanges are judged by the models alone, because too little is known of their peers."),
		days:      desc("wonted_budget_identity_days_total", "Identity-days judged: an identity on a day on which it did something that was accepted."),
		alerts:    desc("wonted_alerts_total", "Alerts since the start, by what raised them: an identity's first of a day, or several identities together.", "by"),
		scores:    desc("wonted_score", "Score of each window, ten minutes of one identity: the most of its exchanges."),
		windows:   desc("wonted_detector_windows_total", "Windows (days of an identity, for what lasts) in which a detector, alone, came to a score among peers of 1, 2, 3, 4 or more; 0: in which it ran.", "detector", "score"),
		meanE:     desc("wonted_evalue_mean", "Mean e-value of the windows since the start: above 1.05 there is more surprise than the tables expect."),
	}
}

// Describe implements prometheus.Collector.
func (c *calibrationCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.target, c.realised, c.threshold, c.capped, c.overrun, c.learning, c.days, c.alerts, c.scores, c.windows, c.meanE} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *calibrationCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.stats()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge(c.target, 1000*s.Budget.PerIdentityDay)
	gauge(c.realised, 1000*s.Realised.LateAlerts/max(s.Realised.LateDays, 1))
	gauge(c.threshold, s.Thresholds[0], "false")
	gauge(c.threshold, s.Thresholds[1], "true")
	gauge(c.capped, one(s.Capped))
	gauge(c.overrun, one(s.Overrun()))
	gauge(c.learning, one(s.Learning))
	gauge(c.meanE, s.MeanE)
	counter(c.days, float64(s.Realised.Days))
	counter(c.alerts, float64(s.Realised.Statistical), "statistical")
	counter(c.alerts, float64(s.Realised.Campaigns), "campaign")
	for _, d := range s.Detectors {
		counter(c.windows, float64(d.Ran), d.Name, "0")
		for k, n := range d.Fired {
			counter(c.windows, float64(n), d.Name, strconv.Itoa(k+1))
		}
	}
	// Windows are counted by whole score, so those below a bound are known.
	buckets, n := map[float64]uint64{}, uint64(0)
	for score, windows := range s.Scores[:calibrate.MaxScore] {
		n += windows
		buckets[float64(score+1)] = n
	}
	n += s.Scores[calibrate.MaxScore]
	buckets[calibrate.MaxScore] = n
	ch <- prometheus.MustNewConstHistogram(c.scores, n, s.ScoreSum, buckets)
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
