package rego

import (
	"context"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// sample is an ordinary exchange of a mature caller.
func sample() *scoring.Exchange {
	ex := &scoring.Exchange{
		Time:         time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC),
		Method:       []byte("GET"),
		Scheme:       []byte("https"),
		Host:         []byte("api.example.com"),
		Path:         []byte("/v1/orders/42?fields=id&fields=total&q=a%20b"),
		Protocol:     []byte("HTTP/1.1"),
		RequestBytes: -1,
		Headers: []scoring.Header{
			{Name: []byte("user-agent"), Value: []byte("shop/1.0")},
			{Name: []byte("accept"), Value: []byte("text/html")},
			{Name: []byte("accept"), Value: []byte("application/json")},
			{Name: []byte("content-type"), Value: []byte("Application/JSON; charset=utf-8")},
		},
		ResponseBytes: -1,
		Records:       -1,
	}
	ex.Route.Name = "GET /v1/orders/{id}"
	ex.Entities[profile.KindCaller] = scoring.Identity{Kind: profile.KindCaller, Key: profile.Key{Hi: 1, Lo: 2}, Name: []byte("acme"), Verified: true}
	ex.Assessment.Threshold = 4
	ex.Assessment.Score = 0.25
	ex.Assessment.Mature = true
	ex.Assessment.Requests = 1234
	return ex
}

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

var _ = context.Background
