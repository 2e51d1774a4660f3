package rego

import (
	"sync/atomic"

	"github.com/open-policy-agent/opa/v1/metrics"
)

// uploads is how OPA's plugin fares with a service: it says so in counters and
// in its log alone.
type uploads struct {
	counters metrics.Metrics
	failure  atomic.Pointer[string] // the latest, until it is told
	told     bool                   // touched by Run only, as done is
	done     uint64
}

// count sums counters of the plugin, by the names that it has for them.
func (u *uploads) count(names ...string) (n uint64) {
	for _, name := range names {
		if v, ok := u.counters.Counter(name).Value().(uint64); ok {
			n += v
		}
	}
	return n
}

func (u *uploads) dropped() uint64 {
	return u.count("decision_logs_dropped_buffer_size_limit_bytes_exceeded", "decision_logs_encoding_failure")
}

func (u *uploads) failed() uint64 { return u.count("decision_logs_chunks_upload_failed") }

// look tells a failure, and when uploads work again.
func (u *uploads) look(trouble func(string)) {
	done := u.count("decision_logs_chunks_uploaded")
	failure := u.failure.Swap(nil)
	switch {
	case failure != nil:
		trouble(*failure)
		u.told = true
	case u.told && done > u.done:
		trouble("")
		u.told = false
	}
	u.done = done
}
