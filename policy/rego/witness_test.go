package rego

import (
	"slices"
	"testing"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

func TestWitness(t *testing.T) {
	e := must(t, `
deny contains "odd" if input.anomalous

deny contains "a method" if {
	input.request.method == "GET"
}

challenge contains "odd" if input.anomalous

deny contains "never" if input.request.method == "BREW"
`)
	ex := odd(sample(), map[scoring.Detector]float64{scoring.Rate: 6})
	f := func(rule string, rows ...int) {
		t.Helper()
		found := e.Witness(&policy.Input{Exchange: ex}, rule)
		method := ex.Method
		ex.Method = []byte("BREW") // it has kept what it needs
		var got []int
		for _, s := range found() {
			if s.Rule != rule || s.File == "" {
				t.Errorf("%+v", s)
			}
			got = append(got, s.Row)
		}
		if ex.Method = method; !slices.Equal(got, rows) {
			t.Errorf("%s fired in rows %v, want %v", rule, got, rows)
		}
	}
	f("deny", 3, 5)
	f("challenge", 9)
	f("throttle")
}
