package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wonted-project/wonted/cmd/wonted/internal/report"
	"github.com/wonted-project/wonted/policy"
)

// reportedOffenders bounds the page: the others are counted.
const reportedOffenders = 200

// write makes the page of a replay and leaves it in a file.
func (t *tally) write(file string, sum *replaySummary, in *tape, late int) error {
	var b bytes.Buffer
	if err := t.page(sum, in, late).HTML(&b); err != nil {
		return err
	}
	return deliver(b.Bytes(), nil, file)
}

// page fills in what the report tells.
func (t *tally) page(sum *replaySummary, in *tape, late int) *report.Page {
	p := &report.Page{
		From: t.first.In(t.zone), To: t.last.In(t.zone), Exchanges: t.exchanges, Identities: len(t.identities), Anomalous: t.anomalous,
		Days: t.days, Alerts: t.alerts, Target: sum.Budget.Target, Realised: sum.Budget.Realised, Threshold: t.threshold,
		Width: time.Duration(t.timeline.width) * time.Second,
	}
	for _, f := range in.files {
		p.Files = append(p.Files, report.File{Name: f.name, Format: string(f.decoder.Format()), Exchanges: f.good - f.refused, Bad: f.bad + f.refused})
	}
	p.Notes = t.notes(sum, in, late)
	p.Actions, p.Stopped = t.stops()
	for i, c := range t.timeline.cells {
		if c.exchanges > 0 {
			at := time.Unix(t.timeline.start+int64(i)*t.timeline.width, 0).In(t.zone)
			p.Timeline = append(p.Timeline, report.Cell{At: at, Exchanges: c.exchanges, Score: c.score, Action: c.action.String()})
		}
	}
	for _, date := range slices.Sorted(maps.Keys(t.daily)) {
		d := t.daily[date]
		p.Daily = append(p.Daily, report.Day{Date: date, Identities: d.identities, Alerts: d.alerts, Exchanges: d.exchanges, Anomalous: d.anomalous})
	}
	all := t.ranked()
	p.More = t.dropped + max(0, len(all)-reportedOffenders)
	for _, o := range all[:min(len(all), reportedOffenders)] {
		p.Offenders = append(p.Offenders, t.offenderOf(o, len(in.files) > 1))
	}
	return p
}

// notes are what a reader must know who does not see standard error.
func (t *tally) notes(sum *replaySummary, in *tape, late int) (notes []string) {
	var b strings.Builder
	in.complain(&b)
	for line := range strings.Lines(b.String()) {
		notes = append(notes, strings.TrimSuffix(line, "\n"))
	}
	if late > 0 {
		notes = append(notes, plural(late, "exchange")+" came too late to be put in order.")
	}
	if sum.WithoutRequest > 0 {
		notes = append(notes, plural(sum.WithoutRequest, "line")+" without a request, which a server or a browser answered itself.")
	}
	if c := sum.Compared; c != nil {
		notes = append(notes, fmt.Sprintf("This is what B (%s) would have done. A (%s) would have %s: %s by %s differ.",
			c.B, c.A, wouldHave(c.A.Actions), plural(c.Differ, "exchange"), plural(c.Callers, "caller")))
	}
	if sum.advice != "" {
		notes = append(notes, sum.advice)
	}
	return notes
}

// stops are the actions, and how many identities would have met with one.
func (t *tally) stops() (all []report.Action, stopped int) {
	identities := map[policy.Action]int{}
	for _, s := range t.identities {
		any := false
		for action, met := range s.met {
			if met && policy.Action(action) > policy.Allow {
				identities[policy.Action(action)]++
				any = true
			}
		}
		if any {
			stopped++
		}
	}
	for _, a := range actionsDone {
		all = append(all, report.Action{Name: a.action.String(), Done: a.done, Requests: t.actions[a.action], Identities: identities[a.action]})
	}
	return all, stopped
}

func (t *tally) offenderOf(o *offender, several bool) report.Offender {
	out := report.Offender{
		Name: o.name, Kind: o.kind, Verdict: would(o), Action: o.worst.String(), Score: o.score,
		From: o.from.In(t.zone), To: o.to.In(t.zone), Odd: o.exchanges, Requests: o.who.exchanges,
		Reasons: slices.Sorted(maps.Keys(o.reasons))[:min(len(o.reasons), shownFindings)],
	}
	for _, f := range o.findings() {
		out.Evidence = append(out.Evidence, report.Evidence{Summary: f.Summary, Attack: f.Attack, OWASP: f.OWASP, Detector: f.Detector, Score: f.Score})
	}
	for _, e := range o.examples {
		where := fmt.Sprintf("line %d", e.line)
		if several {
			where = fmt.Sprintf("%s:%d", e.file, e.line)
		}
		out.Examples = append(out.Examples, report.Example{
			Time: e.Time.In(t.zone), Route: e.Route, Status: e.Status, Records: e.Records, Bytes: e.Bytes,
			Score: e.Score, Action: e.Action, Where: where,
		})
	}
	return out
}

// findings are what was found of an offender, the most surprising first.
func (o *offender) findings() []policy.Finding {
	all := slices.Collect(maps.Values(o.evidence))
	slices.SortFunc(all, func(a, b policy.Finding) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Detector, b.Detector), cmp.Compare(a.Unit, b.Unit))
	})
	return all[:min(len(all), shownFindings)]
}
