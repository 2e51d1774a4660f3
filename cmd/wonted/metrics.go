package main

import (
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/wonted-project/wonted/extproc"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring/route"
)

// costly are what the runtime can say of its own cost, beside the few figures
// that every Go program exports: the collector's time, and how long who could
// run has waited for a processor.
var costly = collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/(cpu/classes/gc/total:cpu-seconds|sched/latencies:seconds)$`)}

// newRegistry holds the metrics of the process; every part adds its own.
func newRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	build := thisBuild()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "wonted_build_info", Help: "Always 1; the labels say what this binary is.",
		ConstLabels: prometheus.Labels{"version": build.Version, "go": build.Go, "envoy_api": build.EnvoyAPI},
	})
	info.Set(1)
	reg.MustRegister(info, collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(costly)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// upkeep counts what the program does beside traffic.
type upkeep struct {
	snapshotAt       prometheus.Gauge
	snapshotFailures prometheus.Counter
	snapshotSeconds  prometheus.Gauge
	policyAt         *prometheus.GaugeVec
	reloadFailures   *prometheus.CounterVec
	followed         prometheus.Gauge // nil: no bundle server is followed
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

// showRoutes publishes how full the table of routes is: a flood of paths that
// are answered well fills it, and profiles of routes lose their detail.
func showRoutes(reg prometheus.Registerer, routes *route.Table) {
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "wonted_routes", Help: "Routes known by their own name, of at most 4096; what is asked for beyond them counts as METHOD /*.",
	}, func() float64 { return float64(routes.Len()) }))
}

// showUnprotected publishes what /readyz says of requests that passed wonted by;
// wonted_unprotected_exchanges_total counts them for good.
func showUnprotected(reg prometheus.Registerer, stats func() extproc.Stats) {
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "wonted_unprotected_exchanges", Help: "Requests that reached an upstream unjudged, by the access log, until ten minutes have passed without one: above 0, traffic is or was lately not protected.",
	}, func() float64 { return float64(stats().Unprotected) }))
}

// policy notes that a revision is in force from now on.
func (u *upkeep) policy(revision string, now time.Time) {
	u.policyAt.Reset()
	u.policyAt.WithLabelValues(revision).Set(seconds(now))
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
