package quarantine

import (
	"cmp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// tell writes a line about a block, as far as the bound of lines allows.
func (t *Table) tell(now time.Time, message string, b *policy.Block) {
	if t.limit.AllowN(now, 1) {
		t.log.Info().Func(describe(b)).Msg(message)
	}
}

func describe(b *policy.Block) func(*zerolog.Event) {
	return func(e *zerolog.Event) {
		e.Str("quarantine", b.ID).Str("entity", b.Entity).Str("name", cmp.Or(b.Name, b.Hash)).Str("mode", mode(b.Shadow)).
			Time("until", b.Until).Int("rung", b.Rung).Str("author", b.Author).Str("decision_id", b.Decision).Str("reason", b.Reason)
	}
}

// refused tells of what a policy has asked for in vain.
func (t *Table) refused(id *scoring.Identity, why string, o policy.Order) {
	t.metrics.refusals.WithLabelValues(id.Kind.String()).Inc()
	if t.limit.AllowN(o.Now, 1) {
		t.log.Warn().Str("entity", id.Kind.String()).Str("name", policy.DisplayName(id)).Str("why", why).Str("reason", o.Reason).
			Msg("a quarantine that the policy asked for was not imposed")
	}
}

type metrics struct {
	impositions *prometheus.CounterVec
	releases    *prometheus.CounterVec
	expiries    *prometheus.CounterVec
	refusals    *prometheus.CounterVec
	unwritten   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, t *Table) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		impositions: counter("wonted_quarantine_impositions_total", "Quarantines imposed or changed, by entity, by whom (policy, operator) and as what; mode=\"shadow\" are recorded and not enforced.", "entity", "by", "mode"),
		releases:    counter("wonted_quarantine_releases_total", "Quarantines that an operator ended.", "entity"),
		expiries:    counter("wonted_quarantine_expiries_total", "Quarantines that ended in time.", "entity"),
		refusals:    counter("wonted_quarantine_refusals_total", "Quarantines that a policy asked for and that were not imposed: never-list, collateral, no room.", "entity"),
		unwritten: prometheus.NewCounter(prometheus.CounterOpts{Name: "wonted_quarantine_journal_failures_total",
			Help: "Changes of quarantines that could not be written to data_dir, and hold in memory until they can be."}),
	}
	for _, entity := range policy.Quarantinable {
		for _, author := range []string{policy.ByPolicy, operator} {
			m.impositions.WithLabelValues(entity, author, mode(true))
			m.impositions.WithLabelValues(entity, author, mode(false))
		}
		m.releases.WithLabelValues(entity)
		m.expiries.WithLabelValues(entity)
		m.refusals.WithLabelValues(entity)
	}
	if reg != nil {
		reg.MustRegister(m.impositions, m.releases, m.expiries, m.refusals, m.unwritten, gauge{t})
	}
	return m
}

const operator = "operator"

// by is an author as metrics have it: operators' names are not bounded.
func by(author string) string {
	if author == policy.ByPolicy {
		return author
	}
	return operator
}

func mode(shadow bool) string {
	if shadow {
		return policy.Shadow.String()
	}
	return policy.Enforce.String()
}

// gauge counts the blocks when it is asked.
type gauge struct{ t *Table }

var gaugeDesc = prometheus.NewDesc("wonted_quarantines", "Quarantines in force, by entity; mode=\"shadow\" are recorded and not enforced.", []string{"entity", "mode"}, nil)

func (g gauge) Describe(c chan<- *prometheus.Desc) { c <- gaugeDesc }

func (g gauge) Collect(c chan<- prometheus.Metric) {
	n := map[[2]string]int{}
	g.t.index.Load().each(func(r *record) bool {
		if !r.ended {
			n[[2]string{r.Entity, mode(r.Shadow)}]++
		}
		return true
	})
	for _, entity := range policy.Quarantinable {
		for _, m := range []string{mode(true), mode(false)} {
			c <- prometheus.MustNewConstMetric(gaugeDesc, prometheus.GaugeValue, float64(n[[2]string{entity, m}]), entity, m)
		}
	}
}
