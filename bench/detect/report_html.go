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
	"power": power,
	"three": func(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) },
}).ParseFS(htmlFiles, "html/page.tmpl"))

// page is what the template is given.
type page struct {
	*Report
	Style   template.CSS
	Curves  []template.HTML
	Found   []template.HTML
	Levels  []string
	Groups  []pageGroup
	Attacks []pageAttack
	Judges  []string
}

type pageGroup struct {
	Name    string
	Windows int
	Ratios  []string
}

type pageAttack struct {
	Result
	First, Second, Requests, Lost, Stopped, Before, Top string
	ByJudge                                             []string
}

// HTML writes the report as one page that needs nothing else.
func (r *Report) HTML(w io.Writer) error {
	p := page{Report: r}
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
	found, err := bench.Bars("Recall at 1e-3", "share of attacks", r.bars(func(s *Result) Interval { return s.Found[0].Recall }))
	if err != nil {
		return err
	}
	stopped, err := bench.Bars("Stopped at wonted’s own threshold", "share of attacks", r.bars(func(s *Result) Interval { return s.Stop.Stopped }))
	if err != nil {
		return err
	}
	p.Found = []template.HTML{found, stopped}
	r.fillTables(&p)
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

// bars are the scenarios.
func (r *Report) bars(of func(*Result) Interval) (rows []bench.Row) {
	for i := range r.Scenarios {
		f := of(&r.Scenarios[i])
		rows = append(rows, bench.Row{Name: r.Scenarios[i].Name, Value: f.Value, Low: f.Low, High: f.High, Text: fmt.Sprintf("%.2f", f.Value)})
	}
	return rows
}

func (r *Report) fillTables(p *page) {
	for _, i := range shownLevels() {
		p.Levels = append(p.Levels, power(nominals[i]))
	}
	for i := range r.Calibration {
		c := &r.Calibration[i]
		g := pageGroup{Name: c.name(), Windows: c.Windows}
		for _, l := range shownLevels() {
			g.Ratios = append(g.Ratios, share(c.Points[l].Ratio))
		}
		p.Groups = append(p.Groups, g)
	}
	for i := 0; i < len(r.Thresholds); i += len(fars) {
		p.Judges = append(p.Judges, r.Thresholds[i].Judge)
	}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		a := pageAttack{Result: *s, First: share(s.Found[0].Recall), Second: share(s.Found[1].Recall), Requests: s.Found[0].Requests.text(),
			Lost: s.Found[0].Lost.text(), Stopped: fmt.Sprintf("%.2f", s.Stop.Stopped.Value), Before: s.Stop.Records.text(), Top: s.Top.text()}
		for k := 0; k < len(s.Found); k += len(fars) {
			a.ByJudge = append(a.ByJudge, fmt.Sprintf("%.2f / %.2f", s.Found[k].Recall.Value, s.Found[k+1].Recall.Value))
		}
		p.Attacks = append(p.Attacks, a)
	}
}
