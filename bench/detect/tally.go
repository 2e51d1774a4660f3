package detect

import "github.com/wonted-project/wonted/scoring"

// tally counts the benign stream of the evaluation days.
type tally struct {
	exchanges [classes]int64 // of all days
	evaluated int64
	anomalous int64
	cut       int64         // not anomalous, and longer than is usual for whoever asked
	days      []identityDay // one for each identity on each day on which it did something
	last      []int         // by number: place of its latest in days, -1 none
}

// identityDay is an identity on a day.
type identityDay struct {
	who     uint32
	day     int16
	class   Class
	mature  bool
	alerted bool
	cut     bool             // an answer, see tally.cut
	top     scoring.Detector // what the evidence of the first alert began with
}

func newTally(identities int) tally {
	t := tally{last: make([]int, identities+1)}
	for i := range t.last {
		t.last[i] = -1
	}
	return t
}

func (t *tally) add(w *world, c *Call, who uint32, mature bool, as *scoring.Assessment) {
	t.exchanges[c.From]++
	if c.At < w.evaluates() {
		return
	}
	t.evaluated++
	d := int16((c.At - monday) / day)
	if at := t.last[who]; at < 0 || t.days[at].day != d {
		t.last[who] = len(t.days)
		t.days = append(t.days, identityDay{who: who, day: d, class: c.From})
	}
	today := &t.days[t.last[who]]
	today.mature = today.mature || mature
	if !as.Anomalous && (beyond(c.Bytes, as.Usual.Bytes) || beyond(c.Records, as.Usual.Records)) {
		t.cut++
		today.cut = true
	}
	if as.Anomalous {
		t.anomalous++
		if !today.alerted {
			today.alerted, today.top = true, top(as)
		}
	}
}
