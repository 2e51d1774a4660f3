package detect

import (
	"fmt"
	"strings"
)

// NotBeaten is an attack that a baseline found more often than wonted did, at
// the same false-alarm rate.
type NotBeaten struct {
	Scenario string  `json:"scenario"`
	Judge    string  `json:"judge"`
	FAR      float64 `json:"far"`
	Recall   float64 `json:"recall"`
	Wonted   float64 `json:"recall_wonted"`
}

// notBeaten lists them all. What both find, or neither, is not among them.
func notBeaten(results []Result) (all []NotBeaten) {
	for i := range results {
		r := &results[i]
		if r.Benign {
			continue
		}
		for k := len(fars); k < len(r.Found); k++ {
			f, wonted := &r.Found[k], r.Found[k%len(fars)].Recall.Value
			if f.Recall.Value > wonted {
				all = append(all, NotBeaten{r.Name, f.Judge, f.FAR, f.Recall.Value, wonted})
			}
		}
	}
	return all
}

// beatenBy is where a judge beats wonted at a false-alarm rate, in words.
type beatenBy struct {
	Judge, At string
	Where     string // scenario, its recall, and wonted's
}

// beaten is NotBeaten by judge.
func (r *Report) beaten() (all []beatenBy) {
	for _, t := range r.Thresholds[min(len(fars), len(r.Thresholds)):] {
		var where []string
		for _, n := range r.NotBeaten {
			if n.Judge == t.Judge && n.FAR == t.FAR {
				where = append(where, fmt.Sprintf("%s %.2f (%.2f)", n.Scenario, n.Recall, n.Wonted))
			}
		}
		if len(where) > 0 {
			all = append(all, beatenBy{t.Judge, power(t.FAR), strings.Join(where, ", ")})
		}
	}
	return all
}

// textNotBeaten writes them, a line a judge and rate.
func (r *Report) textNotBeaten(b *strings.Builder) {
	b.WriteString("\nWhere wonted does not beat one: its recall, and wonted's\n")
	all := r.beaten()
	if len(all) == 0 {
		b.WriteString("  nowhere\n")
	}
	for _, by := range all {
		fmt.Fprintf(b, "  %s at %s: %s\n", by.Judge, by.At, by.Where)
	}
}
