package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/wonted-project/wonted/policy"
)

// writeDecision explains a decision in words.
func writeDecision(out io.Writer, v *decisionView) error {
	r := &v.Report
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("decision", "%s", r.ID)
	row("when", "%s", r.Time.Format("2006-01-02 15:04:05.000 MST"))
	row("verdict", "%s", verdictOf(r))
	row("who", "%s %s%s", r.Kind, cmp.Or(r.Identity, "nobody"), keyOf(r))
	switch s := r.Standing; {
	case s == nil:
	case s.Requests == 0:
		row("known", "not yet: nothing of it was accepted before")
	default:
		row("known", "for %s, %d requests accepted; behaves like %s, %s; %.0f %% of what is expected of it is its own history",
			round(time.Duration(s.AgeS)*time.Second), s.Requests, peersOf(s), s.Level, 100*s.Confidence)
	}
	row("route", "%s%s", r.Route, objectOf(r))
	row("answer", "%s", answerOf(r))
	row("reason", "%s", cmp.Or(r.Reason, "none: no rule objected"))
	for _, f := range r.Fired {
		row("by", "%s:%d  %s", f.File, f.Row, f.Rule)
	}
	if len(r.Rules) > 0 {
		row("rules", "%s", strings.Join(r.Rules, ", "))
	}
	for _, s := range r.Shadow {
		row("not in force", "%s would have said %s: %s (%s)", s.Rule, s.Action, s.Reason, s.Why)
	}
	row("score", "%.1f, and anomalous from %.1f on", r.Score, r.Threshold)
	for i, f := range r.Evidence {
		name := "evidence"
		if i > 0 {
			name = ""
		}
		row(name, "%-11s %4.1f  %s: %s%s", f.Detector, f.Score, f.Entity, f.Summary, references(&f))
	}
	if len(r.Evidence) == 0 {
		row("evidence", "none: nothing was unusual")
	}
	if text := passingOf(r); text != "" {
		row("passes", "%s", text)
	}
	for _, q := range r.Quarantine {
		row("quarantine", "%s, for %s", q.Entity, q.TTL)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return writeActs(out, v.Recent)
}

func verdictOf(r *policy.Report) string {
	v := r.Action
	if r.Mode == policy.Shadow.String() && r.Action != policy.Allow.String() {
		v += ", and not carried out, in shadow mode"
	}
	if r.Phase != "" && r.Action != policy.Allow.String() {
		v += ": reached at the " + map[string]string{"request": "request", "response": "response's headers", "body": "response's body"}[r.Phase]
	}
	if r.Anomalous {
		v += "; anomalous"
	}
	return v
}

// passingOf is what would have passed instead.
func passingOf(r *policy.Report) string {
	p := r.Passing
	switch {
	case p == nil && r.Action == policy.Allow.String():
		return ""
	case p == nil:
		return "not known: many verdicts were to be explained at once, or no policy made this one"
	case p.Never:
		return "nothing would have: the rule asks for something else than what was found"
	case len(p.Without) > 0:
		return "it would have without what was found by " + strings.Join(p.Without, " and ")
	case p.Window == "":
		return fmt.Sprintf("it would have with at most %d %s in the response", p.AtMost, p.Unit)
	}
	return fmt.Sprintf("it would have with at most %d %s in %s", p.AtMost, p.Unit, p.Window)
}

func keyOf(r *policy.Report) string {
	if r.Key == "" || r.Key == r.Identity {
		return ""
	}
	return " (" + r.Key + ")"
}

func peersOf(s *policy.Standing) string {
	return cmp.Or(cohortWords[s.Cohort], "the cohort "+s.Cohort)
}

func objectOf(r *policy.Report) string {
	if r.Object == "" {
		return ""
	}
	return ", object " + r.Object
}

func answerOf(r *policy.Report) string {
	parts := []string{"no status"}
	if r.Status > 0 {
		parts[0] = fmt.Sprintf("status %d", r.Status)
	}
	if r.Records >= 0 {
		parts = append(parts, fmt.Sprintf("%d records", r.Records))
	}
	if r.Bytes >= 0 {
		parts = append(parts, fmt.Sprintf("%d bytes", r.Bytes))
	}
	return strings.Join(parts, ", ")
}

func references(f *policy.Finding) string {
	var all []string
	for _, s := range []string{f.Attack, f.OWASP} {
		if s != "" {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return " [" + strings.Join(all, ", ") + "]"
}
