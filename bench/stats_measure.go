package bench

import "math"

// measure is a figure of one round.
type measure struct {
	name string // as targets and the JSON name it
	unit string
	of   func(Round) float64 // NaN: this round does not know it
}

// The measures. vCPU for 1,000 requests/s is CPU seconds for 1,000 requests:
// one and the same number, since a vCPU is a CPU second a second.
var (
	perSecond = measure{"req/s", "/s", func(r Round) float64 { return perhaps(float64(r.Requests), r.Seconds) }}

	p50  = measure{"p50", "ms", func(r Round) float64 { return latency(r, r.P50) }}
	p90  = measure{"p90", "ms", func(r Round) float64 { return latency(r, r.P90) }}
	p99  = measure{"p99", "ms", func(r Round) float64 { return latency(r, r.P99) }}
	p999 = measure{"p99.9", "ms", func(r Round) float64 { return latency(r, r.P999) }}

	processorCPU  = measure{"CPU", "µs a request", func(r Round) float64 { return aRequest(r, 1e6*known(r.ProcessorCPU)) }}
	envoyCPU      = measure{"Envoy CPU", "µs a request", func(r Round) float64 { return aRequest(r, 1e6*known(r.EnvoyCPU)) }}
	processorVCPU = measure{"processor vCPU", "for 1,000/s", func(r Round) float64 { return aRequest(r, 1e3*known(r.ProcessorCPU)) }}
	envoyVCPU     = measure{"Envoy vCPU", "for 1,000/s", func(r Round) float64 { return aRequest(r, 1e3*known(r.EnvoyCPU)) }}

	resident   = measure{"resident", "MiB", func(r Round) float64 { return known(float64(r.Resident)) / (1 << 20) }}
	perProfile = measure{"resident a profile", "KiB", func(r Round) float64 { return perhaps(known(float64(r.Resident))/(1<<10), float64(r.Profiles)) }}
	allocs     = measure{"allocations", "a request", func(r Round) float64 { return aRequest(r, known(r.AllocObjects)) }}
	allocBytes = measure{"allocated bytes", "a request", func(r Round) float64 { return aRequest(r, known(r.AllocBytes)) }}
	gcShare    = measure{"GC share", "of the CPU", collected}

	failed = measure{"errors", "of the requests", func(r Round) float64 {
		lost := float64(r.lost())
		return perhaps(lost, float64(r.Requests)+lost)
	}}
)

// lost counts the requests of a round that got no answer.
func (r Round) lost() (n int) {
	for _, count := range r.Errors {
		n += count
	}
	return n
}

// collected is the share of the processor's CPU that collecting took. Zero is
// a figure here, a round can pass without a collection, where the program says
// what it allocates; one that does not say is not known to collect nothing.
func collected(r Round) float64 {
	if r.AllocObjects == 0 {
		return math.NaN()
	}
	return perhaps(r.GCSeconds, r.ProcessorCPU)
}

// known turns the zero of what was not measured into NaN, which every figure
// derived from it inherits.
func known(x float64) float64 {
	if x == 0 {
		return math.NaN()
	}
	return x
}

// latency is not known of a round that answered nothing.
func latency(r Round, x float64) float64 {
	if r.Requests == 0 {
		return math.NaN()
	}
	return x
}

func aRequest(r Round, x float64) float64 { return perhaps(x, float64(r.Requests)) }

func perhaps(x, by float64) float64 {
	if by <= 0 {
		return math.NaN()
	}
	return x / by
}

// series is a measure over rounds.
func series(rounds []Round, m measure) []float64 {
	values := make([]float64, len(rounds))
	for i, r := range rounds {
		values[i] = m.of(r)
	}
	return values
}

// added is what a measure is over that of other rounds, turn by turn.
func added(rounds, over []Round, m measure) []float64 {
	a, b := series(rounds, m), series(over, m)
	for i := range a {
		if i >= len(b) {
			a[i] = math.NaN()
			continue
		}
		a[i] -= b[i]
	}
	return a
}
