package bench

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
)

// Charts and style of this report, for others that a page is made of. They need
// nothing else: see HTML.

// Series is one curve. Points that are not above 0 are left out.
type Series struct {
	Name string
	X, Y []float64
}

// Row is one bar with its interval, and what stands behind it.
type Row struct {
	Name             string
	Value, Low, High float64
	Text             string
}

// Style is the style sheet.
func Style() (template.CSS, error) {
	style, err := htmlFiles.ReadFile("html/report.css")
	return template.CSS(style), err
}

// figureClasses are the colours of curves and bars, in turn.
var figureClasses = [...]string{"adaptive", "noop", "lean", "headers", "bodies", "log", "other0", "other1", "other2", "bare"}

// Curves is a chart of curves on two logarithmic axes.
func Curves(title, xName, yName string, all []Series) (template.HTML, error) {
	var paths []path
	low, high := math.Inf(1), math.Inf(-1)
	for i, s := range all {
		paths = append(paths, path{name: s.Name, look: look{Class: figureClasses[i%len(figureClasses)]}, x: s.X, y: s.Y})
		for _, x := range s.X {
			low, high = math.Min(low, x), math.Max(high, x)
		}
	}
	across := func(from, to px) scale { return logarithmic(low, high, from, to) }
	return figure("lines", newLines(title, xName, yName, paths, across, number, true))
}

// Bars is a chart with a bar for each row.
func Bars(title, unit string, rows []Row) (template.HTML, error) {
	var all []quantity
	for _, r := range rows {
		all = append(all, quantity{
			name: r.Name, look: look{Class: figureClasses[0]}, values: []float64{r.Value}, class: []string{figureClasses[0]},
			spread: Estimate{Median: r.Value, Low: r.Low, High: r.High}, text: r.Text,
		})
	}
	return figure("bars", newBars(title, unit, all))
}

func figure(name string, data any) (template.HTML, error) {
	var out bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&out, name, data); err != nil {
		return "", fmt.Errorf("draw %s: %w", name, err)
	}
	return template.HTML(out.String()), nil
}
