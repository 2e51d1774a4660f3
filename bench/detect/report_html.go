package detect

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"strconv"

	"github.com/wonted-project/wonted/bench"
)

//go:embed html/page.tmpl
var htmlFiles embed.FS

var pageTemplate = template.Must(template.New("page.tmpl").Funcs(template.FuncMap{
	"count": func(n any) string {
		switch n := n.(type) {
		case int:
			return count(n)
		case int64:
			return count(n)
		}
		return ""
	},
	"power":        power,
	"two":          func(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) },
	"three":        func(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) },
	"share":        share,
	"spread":       Spread.text,
	"exact":        Spread.exact,
	"until":        (*Found).until,
	"untilStopped": (*Result).untilStopped,
	"group":        (*Curve).name,
	"levels":       shownLevels,
	"nominal":      func(level int) float64 { return nominals[level] },
	"right":        (*Top).text,
	"judged":       (*Result).judged,
	"byClass":      (*Result).byClass,
	"counts":       counts,
	"taken":        (*Informed).taken,
}).ParseFS(htmlFiles, "html/page.tmpl"))

// page is what the template is given.
type page struct {
	*Report
	Style   template.CSS
	Curves  []template.HTML
	Attacks []pageAttacks
	Long    []Result
	Judges  []string
	Cutoffs []string
	Beaten  []beatenBy
}

// pageAttacks is a section of scenarios: those that detectors were written for,
// or those that are held out.
type pageAttacks struct {
	ID, Title, About string
	Charts           []template.HTML
	Scenarios        []Result
}

// HTML writes the report as one page that needs nothing else.
func (r *Report) HTML(w io.Writer) error {
	p := page{Report: r, Long: r.lasting(), Judges: r.judges(), Cutoffs: r.cutoffs(), Beaten: r.beaten()}
	var err error
	if p.Style, err = bench.Style(); err != nil {
		return err
	}
	for _, by := range []string{"class", "cohort", "maturity", "day"} {
		chart, err := bench.Curves("Observed/nominal by "+by, "of windows should", "times as many do", r.series(by))
		if err != nil {
			return err
		}
		p.Curves = append(p.Curves, chart)
	}
	known, unheard := r.heldApart()
	for _, a := range []pageAttacks{
		{ID: "attacks", Title: "Attacks, and what looks like them", Scenarios: known},
		{ID: "held-out", Title: "Held-out families", About: "No detector was written for these, or tuned to them.", Scenarios: unheard},
	} {
		if len(a.Scenarios) == 0 {
			continue
		}
		if err := a.draw(); err != nil {
			return err
		}
		p.Attacks = append(p.Attacks, a)
	}
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, p); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	_, err = w.Write(out.Bytes())
	return err
}

// series are the curves of one sort of group. Days are many: no more than eight.
func (r *Report) series(by string) (all []bench.Series) {
	for i := range r.Calibration {
		c := &r.Calibration[i]
		if c.By != by && c.By != "all" || len(all) > 8 {
			continue
		}
		s := bench.Series{Name: c.name()}
		for _, p := range c.Points {
			s.X, s.Y = append(s.X, p.Nominal), append(s.Y, p.Ratio.Value)
		}
		all = append(all, s)
	}
	return all
}

// draw makes the section's charts.
func (a *pageAttacks) draw() error {
	for _, c := range []struct {
		title string
		of    func(*Result) Interval
	}{
		{"Recall at 1e-3", func(s *Result) Interval { return s.Found[0].Recall }},
		{"Stopped at wonted’s own threshold", func(s *Result) Interval { return s.Stop.Stopped }},
	} {
		var rows []bench.Row
		for i := range a.Scenarios {
			f := c.of(&a.Scenarios[i])
			rows = append(rows, bench.Row{Name: a.Scenarios[i].Name, Value: f.Value, Low: f.Low, High: f.High, Text: fmt.Sprintf("%.2f", f.Value)})
		}
		chart, err := bench.Bars(c.title, "share of runs", rows)
		if err != nil {
			return err
		}
		a.Charts = append(a.Charts, chart)
	}
	return nil
}
