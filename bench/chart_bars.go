package bench

import "math"

// bars is a chart with a row for each variant. Its template is "bars".
type bars struct {
	Title, Unit   string
	Width, Height px
	Left, Right   px // of the plot; names stand left of it
	Bottom        px
	Rows          []bar
	Ticks         []tick
	Legend        []swatch
}

// bar is one row: parts side by side, then the value in words.
type bar struct {
	Name           string
	Top, Y, Text   px // of the parts, their middle, the base line of words
	Parts          []part
	Whisker        bool // from the least to the greatest round
	Low, High      px
	TipTop, TipEnd px // of the whisker's ends
	Value          string
	ValueAt        px
	Dashed         bool // it enforces
}

type part struct {
	X, Width px
	Class    string
	Own      bool // in the variant's own colour
}

// swatch explains a colour.
type swatch struct{ Class, Name string }

// quantity is what a bar shows: parts that add up, and the spread of the whole.
type quantity struct {
	name   string
	look   look
	values []float64
	class  []string
	spread Estimate // not known: no whisker
	text   string
}

const (
	barHeight = px(16)
	barStep   = px(26)
)

func newBars(title, unit string, rows []quantity, legend ...swatch) bars {
	b := bars{Title: title, Unit: unit, Width: 640, Left: 176, Right: 540, Legend: legend}
	b.Bottom = 8 + px(len(rows))*barStep
	b.Height = b.Bottom + 36
	most := 0.0
	for _, row := range rows {
		total := 0.0
		for _, v := range row.values {
			if v > 0 {
				total += v
			}
		}
		if row.spread.Bounded() {
			total = math.Max(total, row.spread.High)
		}
		most = math.Max(most, total)
	}
	across := linear(most, b.Left, b.Right)
	b.Ticks = across.marks(number)
	for i, row := range rows {
		y := 8 + px(i)*barStep + barStep/2
		out := bar{Name: row.name, Top: y - barHeight/2, Y: y, Text: y + 4,
			TipTop: y - 4, TipEnd: y + 4, Value: row.text, Dashed: row.look.Dashed}
		sum := 0.0
		for j, v := range row.values {
			if !(v > 0) {
				continue
			}
			x := across.at(sum)
			sum += v
			out.Parts = append(out.Parts, part{X: x, Width: across.at(sum) - x, Class: row.class[j], Own: row.class[j] == row.look.Class})
		}
		end := across.at(sum)
		if row.spread.Bounded() {
			out.Low, out.High = across.at(row.spread.Low), across.at(row.spread.High)
			out.Whisker = out.High-out.Low > 3 // a shorter one is only a blot
			end = max(end, out.High)
		}
		out.ValueAt = end + 6
		b.Rows = append(b.Rows, out)
	}
	return b
}

// throughput shows what a cell's variants answered in a second.
func throughput(rows []Figures, looks looks) bars {
	var all []quantity
	for _, f := range rows {
		q := quantity{name: f.Variant.Name, look: looks[f.Variant.Name], spread: f.PerSecond, text: none}
		if f.PerSecond.Known() {
			q.values, q.class, q.text = []float64{f.PerSecond.Median}, []string{q.look.Class}, digits3(f.PerSecond.Median)
		}
		all = append(all, q)
	}
	return newBars("Throughput", "requests/s", all)
}

// cpuBars show what a request costs: Envoy's share as it is without anything,
// what Envoy spends more, and the processor.
func cpuBars(rows []Figures, looks looks) bars {
	base := math.NaN()
	for _, f := range rows {
		if f.Variant.Name == Bare {
			base = f.EnvoyCPU.Median
		}
	}
	var all []quantity
	for _, f := range rows {
		q := quantity{name: f.Variant.Name, look: looks[f.Variant.Name], spread: unknown, text: none}
		envoy, processor := f.EnvoyCPU.Median, f.ProcessorCPU.Median
		alone := envoy
		if !math.IsNaN(base) {
			alone = math.Min(envoy, base)
		}
		if f.EnvoyCPU.Known() || f.ProcessorCPU.Known() {
			q.values = []float64{alone, envoy - alone, processor}
			q.class = []string{"envoy", "envoy-more", q.look.Class}
			q.text = digits3(envoy)
			if f.ProcessorCPU.Known() {
				q.text += " + " + digits3(processor)
			}
		}
		all = append(all, q)
	}
	legend := []swatch{{"envoy", "Envoy"}, {"envoy-more", "Envoy, more than bare"}, {"processor", "processor"}}
	if math.IsNaN(base) {
		legend = []swatch{{"envoy", "Envoy"}, {"processor", "processor"}}
	}
	return newBars("CPU a request", "µs, Envoy + processor", all, legend...)
}

// memoryBars show what the processors hold.
func memoryBars(rows []Figures, looks looks) bars {
	var all []quantity
	for _, f := range rows {
		if f.Variant.Name == Bare {
			continue
		}
		q := quantity{name: f.Variant.Name, look: looks[f.Variant.Name], spread: f.Resident, text: none}
		if f.Resident.Known() {
			q.values, q.class, q.text = []float64{f.Resident.Median}, []string{q.look.Class}, digits3(f.Resident.Median)
		}
		all = append(all, q)
	}
	return newBars("Resident memory of the processor", "MiB", all)
}
