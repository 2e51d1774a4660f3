package extproc

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wonted-project/wonted/scoring"
)

// metrics are resolved once: the hot path only adds. No label ever carries an
// identity.
type metrics struct {
	messages     [kinds]prometheus.Counter
	spurious     [kinds]prometheus.Counter
	ended        [scoring.Truncated + 1]prometheus.Counter
	open         prometheus.Gauge
	panics       prometheus.Counter
	decodeErrors prometheus.Counter
	duplex       prometheus.Counter
	reopened     prometheus.Counter
	swept        struct{ deadline, capacity, drain prometheus.Counter }
	entries      [results]prometheus.Counter
	signIns      struct{ named, unreadable, none prometheus.Counter }
	operations   operationMetrics
	unprotected  prometheus.Counter
}

var endNames = [...]string{
	scoring.Unknown: "unknown", scoring.Answered: "answered", scoring.Refused: "refused", scoring.Truncated: "truncated",
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		open: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "wonted_open_exchanges",
			Help: "Exchanges whose end is still to come.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wonted_stream_panics_total",
			Help: "Panics while an exchange was handled; each cost that one exchange.",
		}),
		decodeErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wonted_stream_decode_errors_total",
			Help: "Messages from the proxy that could not be read.",
		}),
		reopened: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wonted_reopened_exchanges_total",
			Help: "Exchanges that had been closed before their stream ended and were judged anew when the response came.",
		}),
		duplex: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wonted_stream_full_duplex_total",
			Help: "Streams of a filter that is configured to send a body as FULL_DUPLEX_STREAMED: each chunk travels back, and no mode_override works. Set response_body_mode: NONE.",
		}),
	}
	m.unprotected = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "wonted_unprotected_exchanges_total",
		Help: "Requests that reached an upstream without having been judged, by the access log: the filter was skipped, or timed out, or failed open.",
	})
	entries := counters("wonted_access_log_entries_total", "Entries of the proxy's access log, by what became of them.", "result")
	for r, name := range resultNames {
		m.entries[r] = entries.WithLabelValues(name)
	}
	messages := counters("wonted_stream_messages_total", "Messages from the proxy, by what they carry.", "kind")
	spurious := counters("wonted_stream_spurious_total", "Messages that came out of order, by what they carry; they were waved through.", "kind")
	ended := counters("wonted_exchange_ends_total", "Exchanges closed, by how they ended.", "end")
	signIns := counters("wonted_sign_in_requests_total", "Requests that were looked into for whom they sign in: the name was read (named), the body could not be (unreadable), or nobody is signed in (none).", "result")
	m.signIns.named = signIns.WithLabelValues("named")
	m.signIns.unreadable = signIns.WithLabelValues("unreadable")
	m.signIns.none = signIns.WithLabelValues("none")
	operations := counters("wonted_operation_requests_total", "Requests that were put off until their body came, by what it told: the operation (named), nothing that could be read (unreadable), or it did not come (missing).", "result")
	m.operations.named = operations.WithLabelValues("named")
	m.operations.unreadable = operations.WithLabelValues("unreadable")
	m.operations.missing = operations.WithLabelValues("missing")
	swept := counters("wonted_swept_exchanges_total", "Exchanges closed as unknown before their stream ended, by why.", "reason")
	for k, name := range kindNames {
		m.messages[k] = messages.WithLabelValues(name)
		m.spurious[k] = spurious.WithLabelValues(name)
	}
	for e, name := range endNames {
		m.ended[e] = ended.WithLabelValues(name)
	}
	m.swept.deadline = swept.WithLabelValues("deadline")
	m.swept.capacity = swept.WithLabelValues("capacity")
	m.swept.drain = swept.WithLabelValues("drain")
	if r != nil {
		r.MustRegister(messages, spurious, ended, swept, entries, signIns, operations, m.unprotected, m.open, m.panics, m.decodeErrors, m.duplex, m.reopened)
	}
	return m
}

type operationMetrics struct{ named, unreadable, missing prometheus.Counter }

func (m *operationMetrics) of(named, came bool) prometheus.Counter {
	switch {
	case named:
		return m.named
	case came:
		return m.unreadable
	}
	return m.missing
}

func counters(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
}
