package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// look is how a variant is drawn everywhere: a class of the style sheet, and
// dashes where it enforces what its twin only watches.
type look struct {
	Class  string
	Dashed bool
}

type looks map[string]look

// looksOf gives each variant its look. What is not known by name (peers) gets
// one of three in turn.
func looksOf(r *Report) looks {
	classes := map[string]string{
		Bare: "bare", Noop: "noop", noopBodies: "noop-bodies",
		"wonted-log": "log", "wonted-lean": "lean", "wonted-adaptive": "adaptive",
		"wonted-headers": "headers", "wonted-bodies": "bodies",
	}
	all, others := looks{}, 0
	give := func(name string) {
		if _, done := all[name]; done {
			return
		}
		plain, enforces := strings.CutSuffix(name, enforceSuffix)
		class, ok := classes[plain]
		if !ok {
			class = fmt.Sprintf("other%d", others%3)
			others++
		}
		all[name] = look{class, enforces}
	}
	for _, v := range r.Variants {
		give(v.Name)
	}
	for _, c := range r.Cells {
		for _, result := range c.Results {
			give(result.Variant)
		}
	}
	return all
}

// growth are the charts of how cost grows with one thing while all else stays:
// one set for each family of cells that differ in nothing but it.
func (r *Report) growth(looks looks) (all []lines) {
	for _, family := range r.families(func(c *Cell) (float64, any) {
		rest := *c
		rest.Name, rest.Results, rest.Identities = "", nil, 0
		return float64(c.Identities), fmt.Sprintf("%+v", rest)
	}) {
		all = append(all, family.chart("Processor CPU by number of callers", "callers", processorCPU, looks),
			family.chart("p99 by number of callers", "callers", p99, looks),
			family.chart("Resident memory by number of callers", "callers", resident, looks))
	}
	for _, family := range r.families(func(c *Cell) (float64, any) {
		rest := *c
		rest.Name, rest.Results, rest.Concurrency = "", nil, 0
		if c.Rate > 0 { // concurrency is only what an open loop may reach
			return 0, nil
		}
		return float64(c.Concurrency), fmt.Sprintf("%+v", rest)
	}) {
		all = append(all, family.chart("Processor CPU by concurrency", "in flight", processorCPU, looks),
			family.chart("p99 by concurrency", "in flight", p99, looks))
	}
	return slices.DeleteFunc(all, func(c lines) bool { return len(c.Curves) == 0 })
}

// family is cells that differ in one thing, in its order.
type family struct {
	cells []*Cell
	x     []float64
}

// families groups the cells by what of says must be equal (nil: the cell is in
// none), and keeps groups of two different values at least.
func (r *Report) families(of func(*Cell) (x float64, equal any)) (all []family) {
	var keys []any
	members := map[any]*family{}
	for i := range r.Cells {
		c := &r.Cells[i]
		x, key := of(c)
		if key == nil {
			continue
		}
		if members[key] == nil {
			members[key] = &family{}
			keys = append(keys, key)
		}
		f := members[key]
		at, found := slices.BinarySearchFunc(f.x, x, cmp.Compare[float64])
		if found {
			continue
		}
		f.x, f.cells = slices.Insert(f.x, at, x), slices.Insert(f.cells, at, c)
	}
	for _, key := range keys {
		if f := members[key]; len(f.x) > 1 {
			all = append(all, *f)
		}
	}
	return all
}

// chart draws one measure of every variant over the family's x.
func (f family) chart(title, xName string, m measure, looks looks) lines {
	var names []string
	for _, c := range f.cells {
		for _, result := range c.Results {
			if !slices.Contains(names, result.Variant) {
				names = append(names, result.Variant)
			}
		}
	}
	var paths []path
	for _, name := range names {
		p := path{name: name, look: looks[name]}
		for i, c := range f.cells {
			if y := spread(series(c.rounds(name), m)).Median; !math.IsNaN(y) {
				p.x, p.y = append(p.x, f.x[i]), append(p.y, y)
			}
		}
		paths = append(paths, p)
	}
	title += ", " + f.rest(xName)
	across := func(from, to px) scale {
		return scale{low: f.x[0], high: f.x[len(f.x)-1], from: from, to: to, log: true}
	}
	c := newLines(title, xName, m.unit, paths, across, number, true)
	c.XTicks = nil
	for _, x := range f.x {
		c.XTicks = append(c.XTicks, tick{across(c.Left, c.Right).at(x), number(x)})
	}
	return c
}

// rest says what the cells have in common.
func (f family) rest(xName string) string {
	c := f.cells[0]
	switch {
	case xName != "callers":
		return plural(c.Identities, "caller")
	case c.Rate > 0:
		return thousands(int64(c.Rate)) + "/s"
	default:
		return fmt.Sprintf("%d in flight", c.Concurrency)
	}
}
