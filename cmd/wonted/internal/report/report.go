// Package report writes what a replay has found as one page of HTML: who would
// have been stopped, why, and at what collateral.
//
// The page needs nothing else: style and charts are in it, it has no script, it
// follows the reader's light or dark setting, and prints. Everything in it that
// came out of a log is hostile until html/template has escaped it.
//
// The package knows nothing of wonted: whoever has a [Page] fills it in. Start
// reading at Page; the charts are in chart.go.
package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"
)

// Page is what is told.
type Page struct {
	Files                            []File
	From, To                         time.Time // of the exchanges
	Exchanges, Identities, Anomalous int
	Stopped                          int     // identities with something that was not allowed
	Days, Alerts                     int     // identity-days: all, and those with something anomalous
	Target, Realised                 float64 // identity-days with an alert, per 1,000
	Threshold                        float64 // of scores; 0: not known

	Actions   []Action // what would have been done that is not allowing, the gravest first
	Timeline  []Cell   // in the order of time, gaps left out
	Width     time.Duration
	Daily     []Day
	Offenders []Offender // the worst first
	More      int        // offenders that are not told of
	Notes     []string   // what could not be read, and other caveats
}

// File is one that was read.
type File struct {
	Name, Format   string
	Exchanges, Bad int
}

// Action is one thing that would have been done.
type Action struct {
	Name                 string // "deny"
	Done                 string // "denied"
	Requests, Identities int
}

// Cell is a part of the time, Width long.
type Cell struct {
	At        time.Time
	Exchanges int
	Score     float64 // the highest
	Action    string  // the gravest
}

// Day is one day, in the configured zone.
type Day struct {
	Date                 string // 2026-11-21
	Identities, Alerts   int
	Exchanges, Anomalous int
}

// Offender is an identity that was not plainly allowed throughout.
type Offender struct {
	Name, Kind, Verdict string // Verdict: "would have had 5 requests denied"
	Action              string // the gravest
	Score               float64
	From, To            time.Time
	Odd, Requests       int // its requests that were odd, and all of them
	Evidence            []Evidence
	Reasons             []string // of the policy
	Examples            []Example
}

// Evidence is one finding in words.
type Evidence struct {
	Summary, Attack, OWASP, Detector string
	Score                            float64
}

// Example is one of an offender's odd exchanges.
type Example struct {
	Time    time.Time
	Route   string
	Status  int
	Records int64 // -1: not known
	Bytes   int64 // -1: not known
	Score   float64
	Action  string
	Where   string // file and line
}

//go:embed html/page.tmpl html/charts.tmpl html/page.css
var files embed.FS

var page = template.Must(template.New("page.tmpl").Funcs(template.FuncMap{
	"n":        grouped,
	"many":     many,
	"million":  func(part, of int) string { return digits3(1e6 * float64(part) / float64(max(of, 1))) },
	"share":    func(part, of int) string { return digits3(100*float64(part)/float64(max(of, 1))) + " %" },
	"sentence": func(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] },
	"score":    score,
	"figure":   digits3,
	"size":     size,
	"stamp":    func(t time.Time) string { return t.Format("2006-01-02 15:04:05") },
	"iso":      func(t time.Time) string { return t.Format(time.RFC3339) },
	"inc":      func(i int) int { return i + 1 },
	"minus":    func(a, b int) int { return a - b },
	"head":     func(n int, all []Offender) []Offender { return all[:min(n, len(all))] },
	"tail":     func(n int, all []Offender) []Offender { return all[min(n, len(all)):] },
}).ParseFS(files, "html/page.tmpl", "html/charts.tmpl"))

// Told is how many offenders are told of in full; of the others, a line each.
const Told = 20

// HTML writes the page.
func (p *Page) HTML(w io.Writer) error {
	style, err := files.ReadFile("html/page.css")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, struct {
		*Page
		Style  template.CSS // our own, embedded
		Told   int
		Scores plot
		Daily  plot
		Who    bars
		What   bars
	}{p, template.CSS(style), Told, p.scores(), p.alerts(), p.who(), p.what()}); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// Stops is how many requests would have been stopped.
func (p *Page) Stops() (n int) {
	for _, a := range p.Actions {
		n += a.Requests
	}
	return n
}
