package main

import (
	"slices"
	"testing"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring/profile"
)

// TestConditions: a bound is exact, and each metric and unit counts what it says.
func TestConditions(t *testing.T) {
	total := tally{
		exchanges: 1000, anomalous: 29, differ: 4,
		actions: map[policy.Action]int{policy.Allow: 990, policy.Deny: 7, policy.Challenge: 2, policy.Throttle: 1},
		identities: map[profile.Key]*seen{
			{Lo: 1}: {met: [policy.Deny + 1]bool{policy.Allow: true, policy.Deny: true}, anomalous: true, differs: true},
			{Lo: 2}: {met: [policy.Deny + 1]bool{policy.Challenge: true, policy.Deny: true}},
			{Lo: 3}: {met: [policy.Deny + 1]bool{policy.Allow: true}},
		},
	}
	f := func(text string, want bool) {
		t.Helper()
		c, err := parseCondition(text, append(slices.Clip(metrics), "differ"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		if value, got := c.holds(&total); got != want {
			t.Errorf("%s: %s, holds %v, want %v", text, value, got, want)
		}
	}
	f("denied > 0.7%", false) // 7 of 1,000: not a little more, nor less
	f("denied >= 0.7%", true)
	f("denied < 0.7%", false)
	f("denied > 0.69%", true)
	f("anomalous >= 2.9%", true)
	f("anomalous > 2.9%", false)
	f("denied > 7", false)
	f("denied >= 7", true)
	f("  denied<7.5  ", true)
	f("challenged >= 2", true)
	f("throttled >= 2", false)
	f("denied >= 2 callers", true)
	f("denied > 2 callers", false)
	f("challenged < 2 callers", true)
	f("anomalous > 1 caller", false)
	f("throttled < 1 callers", true)
	f("differ > 3", true)
	f("differ > 0.4%", false)
	f("differ >= 2 callers", false)
}
