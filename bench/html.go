package bench

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

// The page, its charts and its style sheet. The report has no script and asks
// for nothing: it can be mailed, and opened in ten years.
//
//go:embed html/page.tmpl html/charts.tmpl html/report.css
var htmlFiles embed.FS

var pageTemplate = template.Must(template.New("page.tmpl").Funcs(template.FuncMap{
	"figure":   func(e Estimate) string { return digits3(e.Median) },
	"ratio":    hedged,
	"interval": interval,
	"spread": func(e Estimate) string {
		if !e.Bounded() || e.Rounds < 2 {
			return ""
		}
		if e.Low < 0 { // "-2–3" reads badly
			return digits3(e.Low) + " to " + digits3(e.High)
		}
		return digits3(e.Low) + "–" + digits3(e.High)
	},
	"percent": func(e Estimate) string { return percent(e.Median) },
	"p99":     func(rounds []float64) string { return digits3(spread(rounds).Median) },
	"added":   func(b Burst) Estimate { return difference(b.With, b.Without) },
	"lines":   func(text string) []string { return strings.Split(printable(text), "\n") },
	"or":      or,
	"none":    func() string { return none },
	"plural":  plural,
	"does":    Variant.what,
	"cite":    func(command []string) string { return strings.Join(command, " ") },
	"tallied": tallied,
	"anchor":  func(i int) string { return fmt.Sprintf("cell-%d", i+1) },
}).ParseFS(htmlFiles, "html/page.tmpl", "html/charts.tmpl"))

// page is what the template is given.
type page struct {
	*Report
	Style    template.CSS // our own, embedded
	What     string       // the machine
	Lasted   string
	Short    *digest
	Looks    looks
	Cells    []cellPage
	Growth   []lines
	Verdicts []Verdict // of a full run
}

// digest is the one row that a reader in a hurry takes along: what a user gets
// who chooses nothing, in the first cell that has it.
type digest struct {
	cellPage
	Row Figures
}

func inShort(cells []cellPage) *digest {
	for _, c := range cells {
		for _, f := range c.Rows {
			if f.Variant.Name == byDefault && f.Requests > 0 {
				return &digest{c, f}
			}
		}
	}
	return nil
}

// byDefault is the variant of a wonted whose depth nobody has chosen.
const byDefault = "wonted-adaptive"

type cellPage struct {
	Cell     *Cell
	What     string
	Turns    string
	Noop     string // the reference's name
	Open     bool
	Rows     []Figures
	Warnings []string
	Notes    []string
	Bars     []bars
	Curve    lines
}

// HTML writes the report as one page that needs nothing else: style and charts
// are in it, it follows the reader's light or dark setting, and prints.
func (r *Report) HTML(w io.Writer) error {
	style, err := htmlFiles.ReadFile("html/report.css")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	looks := looksOf(r)
	p := page{Report: r, Style: template.CSS(style), What: r.Machine.what(), Lasted: r.lasted(), Looks: looks, Growth: r.growth(looks)}
	if r.Plan == PlanFull {
		p.Verdicts = r.Judge()
	}
	for i := range r.Cells {
		p.Cells = append(p.Cells, r.cellPage(&r.Cells[i], looks))
	}
	p.Short = inShort(p.Cells)
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, p); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r *Report) cellPage(cell *Cell, looks looks) cellPage {
	p := cellPage{Cell: cell, What: cell.what(), Turns: cell.turns(), Noop: cell.noop(), Open: cell.Rate > 0, Rows: r.Figures(cell)}
	if len(p.Rows) == 0 {
		p.Warnings = []string{"nothing was measured"}
		return p
	}
	for _, f := range p.Rows {
		for _, warning := range f.warnings(cell) {
			p.Warnings = append(p.Warnings, f.Variant.Name+": "+warning)
		}
	}
	p.Notes = answered(p.Rows)
	p.Curve = percentiles(cell, looks)
	if !p.Open {
		p.Bars = append(p.Bars, throughput(p.Rows, looks))
	}
	p.Bars = append(p.Bars, cpuBars(p.Rows, looks))
	if memory := memoryBars(p.Rows, looks); len(memory.Rows) > 0 {
		p.Bars = append(p.Bars, memory)
	}
	return p
}
