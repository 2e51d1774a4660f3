package rego

import (
	"testing"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

func benchmark(b *testing.B, e *Engine, ex *scoring.Exchange) {
	in := &policy.Input{Exchange: ex, Now: ex.Time}
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
		ex := sample()
		ex.Assessment.Score, ex.Assessment.Anomalous = 6, true
		ex.Assessment.Evidence = []scoring.Evidence{{Detector: scoring.Takeover, Score: 6}, {Detector: scoring.Rate, Score: 1}}
		benchmark(b, e, ex)
	})
}
