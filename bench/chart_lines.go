package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// lines is a chart of curves, each named at its end. Its template is "lines".
type lines struct {
	Title, XName, YName      string
	Width, Height            px
	Left, Right, Top, Bottom px // of the plot
	XTicks, YTicks           []tick
	Curves                   []curve
}

// curve is one variant.
type curve struct {
	Name, Class string
	Dashed      bool
	Points      string // as an SVG polyline has them
	Dots        []dot  // where there are few points
	EndX, EndY  px
	LabelY      px // moved where names would lie on each other
}

type dot struct {
	X, Y px
	Tip  string
}

// path is what a curve shows.
type path struct {
	name string
	look look
	x, y []float64
}

// newLines draws paths; x says how values lie across. Points of which y is not
// known or not above 0 are left out (the axis is logarithmic), paths without a
// point too.
func newLines(title, xName, yName string, paths []path, x func(from, to px) scale, xLabel func(float64) string, dots bool) lines {
	c := lines{Title: title, XName: xName, YName: yName, Width: 640, Height: 320, Left: 64, Right: 456, Top: 14, Bottom: 272}
	across := x(c.Left, c.Right)
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range paths {
		for _, y := range p.y {
			if y > 0 && !math.IsInf(y, 0) {
				low, high = math.Min(low, y), math.Max(high, y)
			}
		}
	}
	up := logarithmic(low, high, c.Bottom, c.Top)
	c.XTicks, c.YTicks = across.marks(xLabel), up.marks(number)
	for _, p := range paths {
		out := curve{Name: p.name, Class: p.look.Class, Dashed: p.look.Dashed}
		var points strings.Builder
		for i := range p.x {
			if !(p.y[i] > 0) {
				continue
			}
			at, height := across.at(p.x[i]), up.at(p.y[i])
			fmt.Fprintf(&points, "%v,%v ", at, height)
			out.EndX, out.EndY = at, height
			if dots {
				out.Dots = append(out.Dots, dot{at, height, fmt.Sprintf("%s, %s %s: %s %s", p.name, xLabel(p.x[i]), xName, digits3(p.y[i]), yName)})
			}
		}
		if points.Len() == 0 {
			continue
		}
		out.Points = strings.TrimSpace(points.String())
		c.Curves = append(c.Curves, out)
	}
	c.spreadLabels()
	return c
}

// spreadLabels moves the curves' names apart: in the order of their ends, each
// at least a line below the one above, then all back up into the plot.
func (c *lines) spreadLabels() {
	const line = px(13)
	order := make([]*curve, len(c.Curves))
	for i := range c.Curves {
		order[i] = &c.Curves[i]
	}
	slices.SortStableFunc(order, func(a, b *curve) int { return cmp.Compare(a.EndY, b.EndY) })
	above := c.Top - line
	for _, o := range order {
		o.LabelY = max(o.EndY, above+line)
		above = o.LabelY
	}
	below := c.Bottom + line
	for _, o := range slices.Backward(order) {
		o.LabelY = min(o.LabelY, below-line)
		below = o.LabelY
	}
}

// percentiles is the curve that Gil Tene's HdrHistogram made usual: latency over
// the share of requests, whose distance from all of them is on a logarithmic
// axis, so that a tail is as wide as a body. All rounds of a variant together,
// up to where ten requests are left: beyond it, a curve shows single requests.
func percentiles(cell *Cell, looks looks) lines {
	var paths []path
	deepest := 10.0
	for _, result := range cell.Results {
		var bins []Bin
		total := int64(0)
		for _, r := range result.Rounds {
			bins = append(bins, r.Histogram...)
		}
		for _, b := range bins {
			total += b.Count
		}
		slices.SortFunc(bins, func(a, b Bin) int { return cmp.Compare(a.UpTo, b.UpTo) })
		p := path{name: result.Variant, look: looks[result.Variant]}
		below := int64(0)
		for i, b := range bins {
			if i == 0 && total >= 10 {
				p.x, p.y = append(p.x, 1), append(p.y, b.UpTo)
			}
			below += b.Count
			if total-below < 10 {
				break
			}
			rest := float64(total) / float64(total-below)
			p.x, p.y = append(p.x, rest), append(p.y, b.UpTo)
			deepest = math.Max(deepest, rest)
		}
		paths = append(paths, p)
	}
	across := func(from, to px) scale {
		return scale{low: 1, high: math.Pow(10, math.Ceil(math.Log10(deepest)-1e-9)), from: from, to: to, log: true}
	}
	c := newLines("Latency", "of requests are faster", "ms", paths, across, func(float64) string { return "" }, false)
	c.XTicks = nil
	s := across(c.Left, c.Right)
	for _, at := range []struct {
		rest  float64
		label string
	}{{2, "50 %"}, {10, "90 %"}, {100, "99 %"}, {1e3, "99.9 %"}, {1e4, "99.99 %"}, {1e5, "99.999 %"}, {1e6, "99.9999 %"}} {
		if at.rest <= s.high {
			c.XTicks = append(c.XTicks, tick{s.at(at.rest), at.label})
		}
	}
	return c
}

// LabelLine and LabelAt are where the line to a curve's name ends, and where
// the name begins.
func (c lines) LabelLine() px { return c.Right + 14 }
func (c lines) LabelAt() px   { return c.Right + 18 }
