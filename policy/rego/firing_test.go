package rego

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Of several conditions that are never true the same one is told every time,
// whatever the order in which files are looked at.
func TestFiringIsToldAlike(t *testing.T) {
	dir := write(t, map[string]string{
		"a.rego": "package wonted.policy\ndeny contains \"x\" if {\n\tdata.b.late\n\tdata.c.never\n}",
		"b.rego": "package b\nlate if data.c.never",
		"c.rego": "package c\nnever if input.time.hour > 23",
	})
	var first []Problem
	for i := range 50 {
		e, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = e.Warnings()
		}
		if diff := cmp.Diff(first, e.Warnings()); diff != "" {
			t.Fatal(diff)
		}
	}
	if len(first) != 3 {
		t.Errorf("told %v", first)
	}
}
