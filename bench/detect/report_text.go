package detect

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Text writes the report as tables.
func (r *Report) Text(out io.Writer) error {
	var b strings.Builder
	if r.Partial {
		b.WriteString("INTERRUPTED: what follows is of the days until then.\n\n")
	}
	fmt.Fprintf(&b, "seed %d, %s identities, %d days (%d of training), %s benign exchanges, %s benign windows judged\n",
		r.Seed, count(r.Identities), r.Days, r.Training, count(r.Exchanges), count(r.Windows))
	for _, c := range r.Classes {
		fmt.Fprintf(&b, "  %s %s: %s exchanges, %s windows\n", count(c.Identities), c.Name, count(c.Exchanges), count(c.Windows))
	}
	r.textBenign(&b)
	known, heldOut := r.heldApart()
	textScenarios(&b, "What was found, at window false-alarm rates of 1e-3 and 1e-4, and what had left by then", known)
	textScenarios(&b, "The same of held-out families, that no detector was written for or tuned to", heldOut)
	r.textClasses(&b)
	r.textLongs(&b)
	r.textInformed(&b)
	r.textBaselines(&b)
	r.textNotBeaten(&b)
	_, err := io.WriteString(out, b.String())
	return err
}

func (r *Report) textBenign(b *strings.Builder) {
	fmt.Fprintf(b, "\nBudget: %.3g alerts per 1,000 identities and day where %.3g is the target (95 %%: %.3g to %.3g; %s identity-days; worst day %d: %.3g)\n",
		r.Budget.Realised.Value, r.Budget.Target, r.Budget.Realised.Low, r.Budget.Realised.High, count(r.Budget.IdentityDays), r.Budget.Worst.Day, r.Budget.Worst.Per1000)
	if len(r.Budget.By) > 0 {
		fmt.Fprintf(b, "  by class and first evidence: %s\n", counts(r.Budget.By))
	}
	fmt.Fprintf(b, "Harm: %.3g benign callers disturbed per million exchanges, each counted once a day; %.3g exchanges anomalous, %.3g more answers cut at what is usual\n", r.Harm.Callers, r.Harm.PerMillion, r.Harm.Cut)
	k := &r.Controller
	fmt.Fprintf(b, "Calibration: mean e of benign windows %.3g (%s judged among peers); at the end mature identities alert from %.2f, new ones from %.2f; %s campaigns\n",
		k.MeanE, count(k.Windows), k.Mature, k.New, count(k.Campaigns))
	for _, n := range r.Null.Rates {
		fmt.Fprintf(b, "Null control at %s: %s of %s windows, %.2g (95 %%: %.2g to %.2g)\n", power(n.FAR), count(n.Reached), count(r.Null.Windows), n.Rate.Value, n.Rate.Low, n.Rate.High)
	}
	b.WriteString("\nFalse alarms, observed/nominal by windows (95 % interval)\n")
	w := newColumns(b)
	fmt.Fprint(w, "\twindows")
	shown := shownLevels()
	for _, i := range shown {
		fmt.Fprintf(w, "\tat %s", power(nominals[i]))
	}
	fmt.Fprintln(w)
	for _, c := range r.Calibration {
		fmt.Fprintf(w, "%s\t%s", c.name(), count(c.Windows))
		for _, i := range shown {
			p := c.Points[i].Ratio
			fmt.Fprintf(w, "\t%.2f (%.2f to %.2f)", p.Value, p.Low, p.High)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

func textScenarios(b *strings.Builder, title string, scenarios []Result) {
	if len(scenarios) == 0 {
		return
	}
	b.WriteString("\n" + title + "\n")
	w := newColumns(b)
	fmt.Fprintln(w, "scenario\truns\trecall 1e-3\trecall 1e-4\trequests p50/p90\trecords lost p50/p90\tstopped\tlost before p50/p90\ttop-1")
	for i := range scenarios {
		s := &scenarios[i]
		f, g := &s.Found[0], &s.Found[1]
		name := s.Name
		if s.Benign {
			name += " (benign)"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%.2f\t%s\t%s\n", name, s.Runs, share(f.Recall), share(g.Recall),
			f.until(), f.Lost.text(), s.Stop.Stopped.Value, s.Stop.Records.text(), s.Top.text())
	}
	w.Flush()
}

// textClasses tells on whom a scenario was found: pooled figures hide it.
func (r *Report) textClasses(b *strings.Builder) {
	b.WriteString("\nBy the victim's class, recall at 1e-3/1e-4\n")
	w := newColumns(b)
	fmt.Fprintf(w, "scenario\t%s\n", strings.Join(classNames[:], "\t"))
	for i := range r.Scenarios {
		fmt.Fprintf(w, "%s\t%s\n", r.Scenarios[i].Name, strings.Join(r.Scenarios[i].byClass(), "\t"))
	}
	w.Flush()
}

func (r *Report) textLongs(b *strings.Builder) {
	all := r.lasting()
	if len(all) == 0 {
		return
	}
	b.WriteString("\nWhat takes days, until wonted's own threshold\n")
	w := newColumns(b)
	fmt.Fprintln(w, "scenario\tvictims\tstopped\tafter days p50/p90\tdrift by then p50/p90\tstolen a day, times the normal p50/p90")
	for _, s := range all {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", s.Name, s.Runs, share(s.Stop.Stopped), strings.Join(s.untilStopped(), "\t"), s.Long.Take.exact())
	}
	w.Flush()
}

func (r *Report) textBaselines(b *strings.Builder) {
	b.WriteString("\nBeside what people use today: recall at 1e-3/1e-4\n")
	w := newColumns(b)
	fmt.Fprintf(w, "scenario\t%s\n", strings.Join(r.judges(), "\t"))
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		fmt.Fprintf(w, "%s\t%s\n", s.Name, strings.Join(s.judged(), "\t"))
	}
	fmt.Fprintf(w, "threshold\t%s\n", strings.Join(r.cutoffs(), "\t"))
	w.Flush()
}

func newColumns(b *strings.Builder) *tabwriter.Writer { return tabwriter.NewWriter(b, 0, 0, 2, ' ', 0) }
