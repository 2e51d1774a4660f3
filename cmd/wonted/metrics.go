package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring/profile"
)

// newRegistry holds the metrics of the process; every part adds its own.
func newRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	build := thisBuild()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "wonted_build_info", Help: "Always 1; the labels say what this binary is.",
		ConstLabels: prometheus.Labels{"version": build.Version, "go": build.Go, "envoy_api": build.EnvoyAPI},
	})
	info.Set(1)
	reg.MustRegister(info, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// storeCollector reads the profile store when it is scraped.
type storeCollector struct {
	stats                                                                func() profile.Stats
	records, capacity, bytes, limit, created, evictedNew, evictedSettled *prometheus.Desc
}

func newStoreCollector(stats func() profile.Stats) *storeCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	const evicted, evictedHelp = "wonted_profile_evictions_total",
		"Profiles that made room for others. Of those of reason established, more memory would have kept each one."
	return &storeCollector{
		stats:          stats,
		records:        desc("wonted_profiles", "Profiles held, by kind.", "kind"),
		capacity:       desc("wonted_profiles_capacity", "Profiles that fit into profile.memory."),
		bytes:          desc("wonted_profile_memory_bytes", "Memory that profiles take."),
		limit:          desc("wonted_profile_memory_limit_bytes", "Memory that they take when full."),
		created:        desc("wonted_profiles_created_total", "Profiles created since the start."),
		evictedNew:     prometheus.NewDesc(evicted, evictedHelp, nil, prometheus.Labels{"reason": "probation"}),
		evictedSettled: prometheus.NewDesc(evicted, evictedHelp, nil, prometheus.Labels{"reason": "established"}),
	}
}

// Describe implements prometheus.Collector.
func (c *storeCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.records, c.capacity, c.bytes, c.limit, c.created, c.evictedNew, c.evictedSettled} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *storeCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.stats()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v uint64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v))
	}
	for kind := profile.KindCaller; int(kind) < profile.KindCount; kind++ {
		gauge(c.records, float64(s.Records[kind]), kind.String())
	}
	gauge(c.capacity, float64(s.CapacityRecords))
	gauge(c.bytes, float64(s.Bytes))
	gauge(c.limit, float64(s.CapacityBytes))
	counter(c.created, s.Created)
	counter(c.evictedNew, s.EvictedProbation)
	counter(c.evictedSettled, s.EvictedProtected)
}

// upkeep counts what the program does beside traffic.
type upkeep struct {
	snapshotAt       prometheus.Gauge
	snapshotFailures prometheus.Counter
	snapshotSeconds  prometheus.Gauge
	policyAt         *prometheus.GaugeVec
	reloadFailures   *prometheus.CounterVec
}

func newUpkeep(reg prometheus.Registerer) *upkeep {
	u := &upkeep{
		snapshotAt: prometheus.NewGauge(prometheus.GaugeOpts{Name: "wonted_snapshot_last_success_timestamp_seconds",
			Help: "When profiles were last written to data_dir or read from it; 0: not yet."}),
		snapshotFailures: prometheus.NewCounter(prometheus.CounterOpts{Name: "wonted_snapshot_failures_total",
			Help: "Snapshots that could not be written."}),
		snapshotSeconds: prometheus.NewGauge(prometheus.GaugeOpts{Name: "wonted_snapshot_duration_seconds",
			Help: "How long the last snapshot took."}),
		policyAt: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "wonted_policy_loaded_timestamp_seconds",
			Help: "When the policy that is in force was loaded; the label is its revision."}, []string{"revision"}),
		reloadFailures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wonted_reload_failures_total",
			Help: "Reloads that failed, so that the old one stayed in force."}, []string{"what"}),
	}
	u.reloadFailures.WithLabelValues("policy")
	u.reloadFailures.WithLabelValues("config")
	reg.MustRegister(u.snapshotAt, u.snapshotFailures, u.snapshotSeconds, u.policyAt, u.reloadFailures)
	return u
}

// showMode publishes the mode, which can change while running.
func showMode(reg prometheus.Registerer, mode func() policy.Mode) {
	for _, m := range []policy.Mode{policy.Shadow, policy.Enforce} {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "wonted_mode", Help: "1 for the mode in force: shadow records verdicts, enforce carries them out.",
			ConstLabels: prometheus.Labels{"mode": m.String()},
		}, func() float64 {
			if mode() == m {
				return 1
			}
			return 0
		}))
	}
}

// policy notes that a revision is in force from now on.
func (u *upkeep) policy(revision string, now time.Time) {
	u.policyAt.Reset()
	u.policyAt.WithLabelValues(revision).Set(seconds(now))
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
