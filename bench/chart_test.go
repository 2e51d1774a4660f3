package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever there is to show: an axis has at least two marks, holds the values
// from end to end, and places them in their order.
func TestScalesHoldTheirValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := math.Pow(10, rapid.Float64Range(-6, 6).Draw(t, "low"))
		high := low * math.Pow(10, rapid.Float64Range(0, 6).Draw(t, "decades"))
		for name, s := range map[string]scale{"linear": linear(high, 100, 500), "logarithmic": logarithmic(low, high, 100, 500)} {
			ticks := s.ticks()
			if len(ticks) < 2 || len(ticks) > 16 {
				t.Errorf("%s %v to %v: marks %v", name, low, high, ticks)
			}
			if !slices.IsSorted(ticks) || ticks[0] > low*(1+1e-6) || ticks[len(ticks)-1] < high*(1-1e-6) {
				t.Errorf("%s %v to %v: marks %v", name, low, high, ticks)
			}
			if a, b := s.at(low), s.at(high); a > b+1e-6 || a < 100 || b > 500 {
				t.Errorf("%s: %v at %v, %v at %v", name, low, a, high, b)
			}
			if a, b := s.at(ticks[0]), s.at(ticks[len(ticks)-1]); math.Abs(float64(a-100)) > 1e-3 || math.Abs(float64(b-500)) > 1e-3 {
				t.Errorf("%s: the ends are at %v and %v", name, a, b)
			}
		}
	})
}

func TestScalesOfNothing(t *testing.T) {
	for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		for _, s := range []scale{linear(bad, 0, 100), logarithmic(bad, bad, 0, 100)} {
			for _, v := range append(s.ticks(), 0, 1e300) {
				if at := float64(s.at(v)); math.IsNaN(at) || at < 0 || at > 100 {
					t.Errorf("scale of %v: %v is at %v", bad, v, at)
				}
			}
		}
	}
}

func TestTicksAreRound(t *testing.T) {
	f := func(s scale, want string) {
		t.Helper()
		var got []string
		for _, m := range s.marks(number) {
			got = append(got, m.Label)
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s, want %s", text, want)
		}
	}
	f(linear(12640, 0, 1), "0 5,000 10,000 15,000")
	f(linear(300, 0, 1), "0 100 200 300")
	f(linear(0.7, 0, 1), "0 0.2 0.4 0.6 0.8")
	f(logarithmic(0.3, 12, 0, 1), "0.2 0.5 1 2 5 10 20")
	f(logarithmic(5, 5, 0, 1), "5 10")
	f(logarithmic(1, 1e6, 0, 1), "1 10 100 1,000 10,000 100,000 1,000,000")
}

// Names at the ends of curves never lie on each other, and stay in the plot as
// long as there is room for all.
func TestLabelsDoNotCollide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := lines{Top: 14, Bottom: 272}
		for i, y := range rapid.SliceOfN(rapid.Float64Range(14, 272), 1, 19).Draw(t, "ends") {
			c.Curves = append(c.Curves, curve{Name: fmt.Sprint(i), EndY: px(y)})
		}
		c.spreadLabels()
		slices.SortFunc(c.Curves, func(a, b curve) int { return int(1000 * (a.LabelY - b.LabelY)) })
		for i, o := range c.Curves {
			if o.LabelY < c.Top-1e-6 || o.LabelY > c.Bottom+1e-6 {
				t.Errorf("name %d is at %v", i, o.LabelY)
			}
			if i > 0 && o.LabelY-c.Curves[i-1].LabelY < 13-1e-6 {
				t.Errorf("names at %v and %v", c.Curves[i-1].LabelY, o.LabelY)
			}
			if i > 0 && o.EndY < c.Curves[i-1].EndY {
				t.Errorf("names have changed places")
			}
		}
	})
}

// A thousand requests of 1 to 10 ms, a tenth each: half are faster than 5 ms,
// nine tenths than 9 ms, and of the last ten nothing is said.
func TestPercentileCurve(t *testing.T) {
	var bins []Bin
	for i := range 10 {
		bins = append(bins, Bin{UpTo: float64(i + 1), Count: 50})
	}
	cell := &Cell{Results: []Result{{Variant: "a", Rounds: []Round{{Histogram: bins}, {Histogram: bins}}},
		{Variant: "nothing", Rounds: []Round{{}}}, {Variant: "nine", Rounds: []Round{{Histogram: []Bin{{1, 9}}}}}}}
	c := percentiles(cell, looks{})
	if len(c.Curves) != 1 {
		t.Fatalf("%d curves, want that of a alone", len(c.Curves))
	}
	across := scale{low: 1, high: 100, from: c.Left, to: c.Right, log: true}
	up := logarithmic(1, 9, c.Bottom, c.Top)
	for _, want := range []struct{ rest, ms float64 }{{1, 1}, {2, 5}, {10, 9}} {
		if point := fmt.Sprintf("%v,%v", across.at(want.rest), up.at(want.ms)); !strings.Contains(c.Curves[0].Points+" ", point+" ") {
			t.Errorf("%v ms at 1 in %v, %s, is not on the curve %s", want.ms, want.rest, point, c.Curves[0].Points)
		}
	}
	if c.Curves[0].EndX > c.Right {
		t.Errorf("the curve ends at %v, beyond %v", c.Curves[0].EndX, c.Right)
	}
}

// Cells are one family where they differ in one thing alone.
func TestGrowthFindsFamilies(t *testing.T) {
	round := []Round{{Requests: 10, Seconds: 1, ProcessorCPU: 1, P99: 1, Resident: 1 << 20}}
	result := []Result{{Variant: Noop, Rounds: round}}
	r := &Report{Cells: []Cell{
		{Name: "b", Identities: 1000, Concurrency: 16, Results: result},
		{Name: "a", Identities: 10, Concurrency: 16, Results: result},
		{Name: "again", Identities: 10, Concurrency: 16, Results: result},
		{Name: "other protocol", Identities: 10, Concurrency: 64, Protocol: HTTP2, Results: result},
		{Name: "rate", Identities: 20, Concurrency: 256, Rate: 10, Results: result},
	}}
	var titles []string
	for _, c := range r.growth(looksOf(r)) {
		titles = append(titles, c.Title)
		if len(c.XTicks) != 2 || c.XTicks[0].Label != "10" || c.XTicks[1].Label != "1,000" || len(c.Curves[0].Dots) != 2 {
			t.Errorf("%s: marks %v, dots %v", c.Title, c.XTicks, c.Curves[0].Dots)
		}
	}
	want := []string{"Processor CPU by number of callers, 16 in flight", "p99 by number of callers, 16 in flight", "Resident memory by number of callers, 16 in flight"}
	if !slices.Equal(titles, want) {
		t.Errorf("%q, want %q", titles, want)
	}
}
