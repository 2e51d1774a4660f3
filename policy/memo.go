package policy

import "github.com/prometheus/client_golang/prometheus"

// memoMetrics say how often a decision was known already.
type memoMetrics struct {
	hits, misses tally
}

// register publishes them; remembered is the number of decisions that are
// known now.
func (m *memoMetrics) register(reg prometheus.Registerer, remembered func() int) {
	if reg == nil {
		return
	}
	f := func(result string, t *tally) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name:        "wonted_decision_memo_total",
			Help:        "Decisions asked for: remembered from an exchange that was the same to the policy (hit), or evaluated (miss).",
			ConstLabels: prometheus.Labels{"result": result},
		}, func() float64 { return float64(t.sum()) })
	}
	reg.MustRegister(f("hit", &m.hits), f("miss", &m.misses), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "wonted_decision_memo_entries",
		Help: "Decisions that are remembered; 0 where the policy is such that none can be.",
	}, func() float64 { return float64(remembered()) }))
}

// remembered asks the policy in force.
func (g *Gate) remembered() int {
	if m, ok := (*g.decider.Load()).(interface{ Remembered() int }); ok {
		return m.Remembered()
	}
	return 0
}
