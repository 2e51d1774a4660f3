package main

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wonted-project/wonted/scoring/recorded"
)

// TestOrder: whatever comes is given back, once; in order, if it was out of
// order by less than the bounds; equal times as they came.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		within := rapid.Bool().Draw(t, "within the bound")
		spread := rapid.Int64Range(0, 10*int64(lateness/time.Second)).Draw(t, "spread")
		if within {
			spread = min(spread, int64(lateness/time.Second))
		}
		var o order
		var out []moment
		now := int64(0)
		n := rapid.IntRange(0, 300).Draw(t, "n")
		for i := range n {
			now += rapid.Int64Range(0, 5).Draw(t, "step")
			at := now - rapid.Int64Range(0, spread).Draw(t, "late")
			o.add(moment{exchange: &recorded.Exchange{Time: time.Unix(at, 0)}, line: i, size: i})
			for o.due() {
				m, _ := o.take()
				out = append(out, m)
			}
		}
		for {
			m, ok := o.take()
			if !ok {
				break
			}
			out = append(out, m)
		}
		if len(out) != n || o.bytes != 0 {
			t.Fatalf("%d of %d came back, and %d bytes are left", len(out), n, o.bytes)
		}
		if within && !slices.IsSortedFunc(out, func(a, b moment) int {
			if c := a.exchange.Time.Compare(b.exchange.Time); c != 0 {
				return c
			}
			return a.line - b.line
		}) {
			t.Error("not in order")
		}
	})
}

// TestOrderIsBounded in exchanges and in bytes, whatever their times.
func TestOrderIsBounded(t *testing.T) {
	f := func(size, most int) {
		t.Helper()
		var o order
		for i := range 3 * lateEvents {
			o.add(moment{exchange: &recorded.Exchange{Time: time.Unix(int64(-i%50), 0)}, size: size})
			for o.due() {
				o.take()
			}
			if len(o.waiting)-o.first > most || len(o.waiting) > most+compactFrom {
				t.Fatalf("%d wait, of %d bytes each", len(o.waiting)-o.first, size)
			}
		}
	}
	f(100, lateEvents)
	f(1<<20, lateBytes>>20)
}
