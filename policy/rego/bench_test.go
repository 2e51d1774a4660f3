package rego

import (
	"testing"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

func benchmark(b *testing.B, e *Engine, ex *scoring.Exchange) {
	in := at(ex, policy.PhaseRequest)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Decide(ctx, in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDefaultPolicy(b *testing.B) {
	e, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("ordinary", func(b *testing.B) { benchmark(b, e, sample()) })
	b.Run("anomalous", func(b *testing.B) {
		benchmark(b, e, odd(sample(), map[scoring.Detector]float64{scoring.Takeover: 6, scoring.Rate: 1}))
	})
}

// tenRules is about what a security engineer would write.
const tenRules = `
batch := {"10.0.0.0/24", "10.0.1.0/24"}
admin if startswith(input.request.path, "/admin/")
write if input.request.method in {"POST", "PUT", "PATCH", "DELETE"}

deny contains "exports are for the batch network" if {
	input.request.route == "GET /v1/export"
	not input.source.network in batch
}
deny contains "no key, no write" if {
	write
	not input.request.headers["x-api-key"]
}
deny contains "admin needs a verified caller" if {
	admin
	not input.identity.verified
}
deny contains {"reason": "old clients", "status": 404} if startswith(input.device.user_agent, "shop/0.")
challenge contains "unusual for this caller" if {
	input.anomalous
	input.detectors.takeover >= input.threshold
}
challenge contains "admin from a new device" if {
	admin
	not input.device.known
}
throttle contains {"reason": "too fast", "retry_after": 30} if input.detectors.rate >= 5
throttle contains "writes at night by new callers" if {
	write
	input.time.hour < 6
	not input.identity.mature
}
response_budget contains {"records": 1000} if not input.identity.mature
response_budget contains {"usual": 2} if input.identity.mature
request_headers contains {"name": "x-risk", "value": input.severity}
allow contains "the nightly batch" if input.source.network in batch
`

func BenchmarkTenRules(b *testing.B) { benchmark(b, must(b, tenRules), sample()) }

func BenchmarkInput(b *testing.B) {
	in := at(sample(), policy.PhaseRequest)
	f := func(name, text string) {
		e := must(b, text)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				new(view).build(e.plan, in)
			}
		})
	}
	f("whole", everything)
	f("ten rules", tenRules)
}
