package detect

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// What the text and the page have in common: which rows there are, and how
// figures are written.

// nothing stands for a figure that there is not.
const nothing = "–"

// heldApart are the scenarios that detectors were written for, and those that
// are held out.
func (r *Report) heldApart() (known, heldOut []Result) {
	for _, s := range r.Scenarios {
		if s.HeldOut {
			heldOut = append(heldOut, s)
		} else {
			known = append(known, s)
		}
	}
	return known, heldOut
}

// lasting are the scenarios that take days.
func (r *Report) lasting() (all []Result) {
	for _, s := range r.Scenarios {
		if s.Long != nil {
			all = append(all, s)
		}
	}
	return all
}

// judges are their names, wonted first.
func (r *Report) judges() (names []string) {
	for i := 0; i < len(r.Thresholds); i += len(fars) {
		names = append(names, r.Thresholds[i].Judge)
	}
	return names
}

// judged is what each judge found of the scenario: recall at 1e-3/1e-4.
func (s *Result) judged() (all []string) {
	for k := 0; k < len(s.Found); k += len(fars) {
		all = append(all, fmt.Sprintf("%.2f/%.2f", s.Found[k].Recall.Value, s.Found[k+1].Recall.Value))
	}
	return all
}

// cutoffs are the scores from which each judge finds something: at 1e-3/1e-4.
func (r *Report) cutoffs() (all []string) {
	for i := 0; i < len(r.Thresholds); i += len(fars) {
		all = append(all, fmt.Sprintf("%.3g/%.3g", r.Thresholds[i].Score, r.Thresholds[i+1].Score))
	}
	return all
}

// byClass is what wonted found of the scenario, by the victim's class: recall at
// 1e-3/1e-4, and how many there were.
func (s *Result) byClass() (all []string) {
	for _, name := range classNames {
		at := slices.IndexFunc(s.Classes, func(c ClassResult) bool { return c.Name == name })
		if at < 0 {
			all = append(all, nothing)
			continue
		}
		c := &s.Classes[at]
		all = append(all, fmt.Sprintf("%.2f/%.2f (%d)", c.Recall[0], c.Recall[1], c.Runs))
	}
	return all
}

// until is how many requests it took, where it was found at all.
func (f *Found) until() string {
	if f.Recall.Value == 0 {
		return nothing
	}
	return f.Requests.text()
}

// untilStopped is how long what takes days lasted, and how far it had gone, where
// it was stopped at all.
func (s *Result) untilStopped() []string {
	if s.Stop.Stopped.Value == 0 {
		return []string{nothing, nothing}
	}
	return []string{s.Long.Days.exact(), s.Long.Drift.exact()}
}

// shownLevels are the places in nominals that tables show.
func shownLevels() (shown []int) {
	for i, p := range nominals {
		if p == 1e-2 || p == 1e-3 || p == 1e-4 {
			shown = append(shown, i)
		}
	}
	return shown
}

func (t *Top) text() string {
	if t.Of == 0 {
		return nothing
	}
	return fmt.Sprintf("%.0f%%", 100*float64(t.Right)/float64(t.Of))
}

// counts writes what there is how often, the most frequent first.
func counts(of map[string]int) string {
	names := slices.SortedFunc(maps.Keys(of), func(a, b string) int { return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b)) })
	for i, n := range names {
		names[i] = n + " " + count(of[n])
	}
	return strings.Join(names, ", ")
}

// name is the group in words.
func (c *Curve) name() string {
	switch c.By {
	case "all":
		return "all"
	}
	return c.By + " " + c.Group
}

func share(i Interval) string { return fmt.Sprintf("%.2f (%.2f to %.2f)", i.Value, i.Low, i.High) }

func (s Spread) text() string  { return count(int64(s.Median)) + "/" + count(int64(s.P90)) }
func (s Spread) exact() string { return fmt.Sprintf("%.2f/%.2f", s.Median, s.P90) }

// power writes 1e-3 as it is spoken of.
func power(p float64) string { return "1e" + strconv.Itoa(int(math.Round(math.Log10(p)))) }

// count groups digits: 12,345.
func count[N int | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
