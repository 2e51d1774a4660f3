package bench

import (
	"bytes"
	"fmt"
	"math"
)

// Verdict says how a target of the full plan came out.
type Verdict struct {
	Says     string   `json:"says"`     // of whom, and at what load
	Measure  string   `json:"measure"`  // with its reference: "CPU to noop"
	Limit    string   `json:"limit"`    // with its unit, and a better one in brackets: "≤ 0.45 (0.40)"
	Measured Estimate `json:"measured"` // not known: the report has no such cell, variant or round
	Met      bool     `json:"met"`      // by the median
	Unsure   bool     `json:"unsure"`   // the interval holds the limit: another run may say otherwise
	by       float64  // how far the median is from the limit, as a share of it; NaN for a limit of 0
	ratio    bool     // Measured is one
}

// Judge holds the report against the targets of the full plan, in their order,
// then every burst against what it may add.
func (r *Report) Judge() []Verdict {
	var all []Verdict
	for _, t := range targets {
		all = append(all, t.verdict(t.estimate(r)))
	}
	for _, b := range r.Bursts {
		t := target{says: b.Name, measure: measure{name: "p99 added", unit: "ms"}, atMost: burstLimit}
		all = append(all, t.verdict(difference(b.With, b.Without)))
	}
	return all
}

// Missed counts the targets that are not met, or of which nothing is known.
func (r *Report) Missed() (n int) {
	for _, v := range r.Judge() {
		if !v.Met {
			n++
		}
	}
	return n
}

// tallied counts the verdicts.
func tallied(all []Verdict) string {
	met, missed := 0, 0
	for _, v := range all {
		switch {
		case v.Met:
			met++
		case v.Measured.Known():
			missed++
		}
	}
	text := fmt.Sprintf("%d of %d met, %d missed", met, len(all), missed)
	if rest := len(all) - met - missed; rest > 0 {
		text += fmt.Sprintf(", %d not measured", rest)
	}
	return text
}

// estimate is the figure that the target speaks of.
func (t target) estimate(r *Report) Estimate {
	cell := r.cell(t.cell)
	if cell == nil {
		return unknown
	}
	mine := cell.rounds(t.variant)
	switch ref := t.reference; {
	case ref == reference{}:
		return spread(series(mine, t.measure))
	case ref.aboveBare:
		bare := cell.rounds(Bare)
		return quotient(added(mine, bare, t.measure), added(cell.rounds(ref.variant), bare, t.measure))
	case ref.cell != "":
		other := r.cell(ref.cell)
		if other == nil {
			return unknown
		}
		return apart(series(mine, t.measure), series(other.rounds(t.variant), t.measure))
	default:
		return quotient(series(mine, t.measure), series(cell.rounds(ref.variant), t.measure))
	}
}

func (t target) verdict(e Estimate) Verdict {
	v := Verdict{Says: t.says, Measure: t.what(), Measured: e, by: math.NaN(), ratio: t.reference != reference{}}
	limit := t.atMost
	if t.atLeast > 0 {
		limit = t.atLeast
		v.Limit = "≥ " + t.figure(limit)
		v.Met = e.Known() && e.Median >= limit
	} else {
		v.Limit = "≤ " + t.figure(limit)
		v.Met = e.Known() && e.Median <= limit
	}
	if t.stretch > 0 {
		v.Limit += " (" + t.figure(t.stretch) + ")"
	}
	v.Unsure = e.Bounded() && e.Low < limit && limit < e.High
	if limit != 0 {
		v.by = math.Abs(e.Median-limit) / limit
	}
	return v
}

// what names the measure with its reference.
func (t target) what() string {
	switch ref := t.reference; {
	case ref == reference{}:
		return t.measure.name
	case ref.aboveBare:
		return t.measure.name + " added, to " + ref.variant
	case ref.cell != "":
		return t.measure.name + " to " + ref.cell
	default:
		return t.measure.name + " to " + ref.variant
	}
}

// figure writes a number in the target's unit.
func (t target) figure(x float64) string {
	switch {
	case t.reference != reference{}:
		return ratio(x)
	case t.measure.unit == "ms" || t.measure.unit == "KiB":
		return digits3(x) + " " + t.measure.unit
	default:
		return ratio(x)
	}
}

// Outcome is the verdict in words: "met by 8%", "MISSED by 4%".
func (v Verdict) Outcome() string {
	text := "met"
	switch {
	case !v.Measured.Known():
		return "not measured"
	case !v.Met && math.IsNaN(v.by):
		text = "MISSED"
	case !v.Met:
		text = "MISSED by " + percent(v.by)
	case !math.IsNaN(v.by):
		text += " by " + percent(v.by)
	}
	if v.Unsure {
		text += ", unsure"
	}
	return text
}

// Figure writes what was measured: a ratio as every ratio, else the median and
// what lies around it.
func (v Verdict) Figure() string {
	if v.ratio || !v.Measured.Bounded() {
		return within(v.Measured)
	}
	return digits3(v.Measured.Median) + " " + digits3(v.Measured.Low) + "–" + digits3(v.Measured.High)
}

// textTargets writes the table of a full run.
func (r *Report) textTargets(out *bytes.Buffer) {
	verdicts := r.Judge()
	fmt.Fprintf(out, "\nTargets: %s\n", tallied(verdicts))
	t := grid{left: 2, head: []string{"", "", "target", "measured", ""}}
	for _, v := range verdicts {
		t.add(v.Says, v.Measure, v.Limit, v.Figure(), v.Outcome())
	}
	t.write(out)
	out.WriteString("In brackets what would be better still. \"unsure\": the 95 % interval holds the limit.\n")
}
