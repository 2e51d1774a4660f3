package policy

import "github.com/prometheus/client_golang/prometheus"

// metrics are resolved once: a lookup by label costs more than the count.
// Labels are bounded by the enums above, reasons by the callers' constants.
type metrics struct {
	anomalous prometheus.Counter
	actions   [2][actions]prometheus.Counter // by mode and action
	failures  *prometheus.CounterVec
	conflicts prometheus.Counter
	rules     *prometheus.CounterVec // by rule, of which there are maxRules and one
	blocked   *prometheus.CounterVec
	trips     *prometheus.CounterVec // by rule
	seconds   prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	decisions := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "wonted_decisions_total",
		Help: "Exchanges by the severest action reached; mode=\"shadow\" counts what would have been done.",
	}, []string{"action", "mode"})
	m := &metrics{
		anomalous: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wonted_anomalous_total",
			Help: "Exchanges whose score reached the threshold.",
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wonted_policy_failures_total",
			Help: "Decisions that the fail mode made in the policy's place, by reason.",
		}, []string{"reason"}),
		conflicts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wonted_header_conflicts_total",
			Help: "Header rules that wanted different values for one name.",
		}),
		rules: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wonted_rule_verdicts_total",
			Help: "Exchanges that a rule wanted stopped. effect=\"in_force\": it counted; \"shadow\", \"rollout\", \"exception\", \"breaker\": what it would have done.",
		}, []string{"rule", "action", "mode", "effect"}),
		blocked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wonted_quarantine_blocked_total",
			Help: "Requests that came from quarantine, by the entity that is under it; mode=\"shadow\" counts those that would have been refused.",
		}, []string{"entity", "mode"}),
		trips: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wonted_breaker_trips_total",
			Help: "How often the breaker has demoted a rule to shadow.",
		}, []string{"rule"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "wonted_decision_seconds",
			Help:    "Time of one policy decision; one in 16 is timed.",
			Buckets: []float64{1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 2.5e-2, 0.1},
		}),
	}
	for _, mode := range []Mode{Shadow, Enforce} {
		for a := Allow; int(a) < actions; a++ {
			m.actions[mode][a] = decisions.WithLabelValues(a.String(), mode.String())
		}
	}
	// A series that appears with its first failure cannot be alerted on by rate.
	for _, reason := range []string{failedError, failedTimeout, failedUndefined, failedContract} {
		m.failures.WithLabelValues(reason)
	}
	for _, entity := range Quarantinable {
		m.blocked.WithLabelValues(entity, Shadow.String())
		m.blocked.WithLabelValues(entity, Enforce.String())
	}
	if reg != nil {
		reg.MustRegister(m.anomalous, decisions, m.failures, m.conflicts, m.rules, m.trips, m.blocked, m.seconds)
	}
	return m
}

// showCounts publishes what the Gate counts in ways of its own.
func (g *Gate) showCounts(reg prometheus.Registerer) {
	if reg == nil {
		return
	}
	reg.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "wonted_exchanges_total",
			Help: "Exchanges judged.",
		}, func() float64 { return float64(g.pace.judged.sum()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "wonted_rules_demoted",
			Help: "Rules that the breaker has demoted to shadow, and that are not in force.",
		}, func() (n float64) {
			for r := range g.rules.all() {
				if r.breaker.demoted() {
					n++
				}
			}
			return n
		}),
	)
}
