package rego

import "testing"

func TestDefault(t *testing.T) {
	e, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(e.Inputs(), e.Revision(), e.Warnings(), e.reads)
}
