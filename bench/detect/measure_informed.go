package detect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Informed is what one strategy of an attacker who knows wonted takes unseen.
type Informed struct {
	Strategy string  `json:"strategy"`
	Days     int     `json:"days"` // for which it was to stay unseen
	Levels   []Level `json:"levels"`
	Even     float64 `json:"take_at_even_odds"` // the most at a level at which at most half of the victims were seen
	Unseen   float64 `json:"take_unseen"`       // at one at which none was
}

// Level is how far a strategy was turned up, and what came of it.
type Level struct {
	Level   float64 `json:"level"` // 0: the strategy has none, or finds its own
	Victims int     `json:"victims"`
	Seen    int     `json:"seen"` // by wonted's own threshold
	Take    Spread  `json:"take"` // of the unseen: stolen records a day, in multiples of the victim's normal
}

// informedOf measures the family, strategy by strategy.
func (e *engine) informedOf(days int) (all []Informed) {
	for i := range e.scenarios {
		s := &e.scenarios[i]
		if s.Family != informed {
			continue
		}
		in := Informed{Strategy: s.Name, Days: days}
		takes := map[float64][]float64{}
		for k := range e.trials {
			t := &e.trials[k]
			if t.scenario != i {
				continue
			}
			at := slices.IndexFunc(in.Levels, func(l Level) bool { return l.Level == t.long.level })
			if at < 0 {
				at = len(in.Levels)
				in.Levels = append(in.Levels, Level{Level: t.long.level})
			}
			l := &in.Levels[at]
			if l.Victims++; t.long.stopped {
				l.Seen++
			} else {
				takes[l.Level] = append(takes[l.Level], t.long.take)
			}
		}
		slices.SortFunc(in.Levels, func(a, b Level) int { return cmp.Compare(a.Level, b.Level) })
		for k := range in.Levels {
			l := &in.Levels[k]
			l.Take = spreadOf(takes[l.Level])
			if 2*l.Seen <= l.Victims {
				in.Even = max(in.Even, l.Take.Median)
			}
			if l.Seen == 0 {
				in.Unseen = max(in.Unseen, l.Take.Median)
			}
		}
		all = append(all, in)
	}
	return all
}

// textInformed writes a line a strategy.
func (r *Report) textInformed(b *strings.Builder) {
	if len(r.Informed) == 0 {
		return
	}
	fmt.Fprintf(b, "\nThe informed attacker: records a day beyond the victim's own, in multiples of its normal, unseen for %d days; over k identities k times as much\n", r.Informed[0].Days)
	w := newColumns(b)
	fmt.Fprintln(w, "strategy\tat even odds\tnever seen\tlevel: seen of victims, median take of the others")
	for i := range r.Informed {
		in := &r.Informed[i]
		fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%s\n", in.Strategy, in.Even, in.Unseen, strings.Join(in.taken(), "; "))
	}
	w.Flush()
}

// taken is what came of each level: how far it was turned up, how many victims
// were seen, and what the others lost.
func (in *Informed) taken() (all []string) {
	for _, l := range in.Levels {
		level := ""
		if l.Level > 0 {
			level = fmt.Sprintf("x%.3g: ", l.Level)
		}
		all = append(all, fmt.Sprintf("%s%d of %d, %.2f", level, l.Seen, l.Victims, l.Take.Median))
	}
	return all
}
