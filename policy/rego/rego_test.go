package rego

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// sample is an ordinary exchange of a mature caller at its request.
func sample() *scoring.Exchange {
	ex := &scoring.Exchange{
		ID:           scoring.ID{0xab},
		Time:         time.Date(2026, 3, 2, 14, 30, 0, 0, time.UTC), // a Monday
		Method:       []byte("GET"),
		Scheme:       []byte("https"),
		Host:         []byte("api.example.com"),
		Path:         []byte("/v1/orders/42%20a?fields=id&fields=total&q=a%20b&flag"),
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

// odd makes an exchange anomalous by these detectors' scores. As from the
// Scorer, the evidence that counts most comes first.
func odd(ex *scoring.Exchange, scores map[scoring.Detector]float64) *scoring.Exchange {
	a := &ex.Assessment
	for d := range scoring.Detectors {
		if s, ok := scores[scoring.Detector(d)]; ok {
			a.Evidence = append(a.Evidence, scoring.Evidence{Detector: scoring.Detector(d), Entity: profile.KindCaller, Score: s, Observed: 5, Expected: 1, Unit: "requests", Window: time.Minute})
			a.Score = max(a.Score, s)
		}
	}
	slices.SortStableFunc(a.Evidence, func(x, y scoring.Evidence) int { return cmp.Compare(y.Score, x.Score) })
	a.Anomalous = a.Score >= a.Threshold
	return ex
}

func must(t testing.TB, text string) *Engine {
	t.Helper()
	e, err := FromSource("test.rego", []byte("package wonted.policy\n"+text))
	if err != nil {
		t.Fatalf("%s:\n%v", text, err)
	}
	return e
}

func decide(t testing.TB, e *Engine, in *policy.Input) *policy.Decision {
	t.Helper()
	d, err := e.Decide(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func at(ex *scoring.Exchange, p policy.Phase) *policy.Input {
	return &policy.Input{Exchange: ex, Phase: p, Now: ex.Time.Add(40 * time.Millisecond)}
}

// write lays out a policy directory.
func write(t testing.TB, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
