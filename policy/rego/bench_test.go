package rego

import (
	"testing"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// benchmark is evaluation: what a decision costs that is not remembered.
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

// BenchmarkRecall is a decision that is remembered.
func BenchmarkRecall(b *testing.B) {
	recall := func(e *Engine, ex *scoring.Exchange) func(*testing.B) {
		return func(b *testing.B) {
			in := at(ex, policy.PhaseRequest)
			decide(b, e, in)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := e.Recall(in); !ok {
					b.Fatal("not remembered")
				}
			}
		}
	}
	byDefault, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("default", recall(byDefault, sample()))
	b.Run("default, anomalous", recall(byDefault, odd(sample(), map[scoring.Detector]float64{scoring.Takeover: 6, scoring.Rate: 1})))
	b.Run("ten rules", recall(must(b, tenRules), sample()))
	b.Run("ten rules, many at once", func(b *testing.B) {
		e := must(b, tenRules)
		decide(b, e, at(sample(), policy.PhaseRequest))
		b.ReportAllocs()
		b.RunParallel(func(p *testing.PB) {
			in := at(sample(), policy.PhaseRequest)
			for p.Next() {
				if _, ok := e.Recall(in); !ok {
					b.Error("not remembered")
					return
				}
			}
		})
	})
}

// BenchmarkUnmemoised is a ten-rule policy of which no decision is remembered,
// because one rule more tells the client what it asked for.
func BenchmarkUnmemoised(b *testing.B) {
	e := must(b, tenRules+"\nresponse_headers contains {\"name\": \"x-path\", \"value\": input.request.path}")
	if len(e.Unmemoised()) == 0 {
		b.Fatal("it is remembered")
	}
	benchmark(b, e, sample())
}

// BenchmarkLoad is what a reload costs, the analysis included.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		must(b, tenRules)
	}
}

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
