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

// textNotBeaten writes them, a line a baseline.
func (r *Report) textNotBeaten(b *strings.Builder) {
	b.WriteString("\nWhere wonted does not beat one: its recall, and wonted's\n")
	if len(r.NotBeaten) == 0 {
		b.WriteString("  nowhere\n")
	}
	for i := len(fars); i < len(r.Thresholds); i++ {
		var where []string
		for _, n := range r.NotBeaten {
			if n.Judge == r.Thresholds[i].Judge && n.FAR == r.Thresholds[i].FAR {
				where = append(where, fmt.Sprintf("%s %.2f (%.2f)", n.Scenario, n.Recall, n.Wonted))
			}
		}
		if len(where) > 0 {
			fmt.Fprintf(b, "  %s at %s: %s\n", r.Thresholds[i].Judge, power(r.Thresholds[i].FAR), strings.Join(where, ", "))
		}
	}
}
