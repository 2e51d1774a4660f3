package detect

import "github.com/wonted-project/wonted/scoring"

// A window is an identity's ten minutes in which it did something, aligned to
// the clock; its score is the highest of its exchanges, for each judge.
const windowMillis = 10 * minute

// windowInfo is what a closed window is told apart by. Its scores lie beside it.
type windowInfo struct {
	who    uint32
	day    int16
	class  Class
	cohort scoring.Cohort // wonted's
	mature bool
}

// windows collects the benign stream's.
type windows struct {
	judges int
	from   int64 // windows that begin before are not kept: nothing is measured in training
	open   []openWindow
	most   []float32 // of the open ones, judge by judge
	closed []windowInfo
	scores []float32 // of the closed ones, judge by judge
}

type openWindow struct {
	index  int64
	class  Class
	cohort scoring.Cohort
	mature bool
}

func newWindows(identities, judges int, from int64) *windows {
	w := &windows{judges: judges, from: from, open: make([]openWindow, identities+1), most: make([]float32, (identities+1)*judges)}
	return w
}

// add takes an exchange's scores into its identity's window.
func (w *windows) add(who uint32, class Class, cohort scoring.Cohort, mature bool, t int64, scores []float32) {
	if t < w.from {
		return
	}
	o := &w.open[who]
	most := w.most[int(who)*w.judges : int(who+1)*w.judges]
	if index := t / windowMillis; index != o.index {
		w.close(who)
		*o = openWindow{index, class, cohort, mature}
		copy(most, scores)
		return
	}
	for j, s := range scores {
		most[j] = max(most[j], s)
	}
}

func (w *windows) close(who uint32) {
	o := &w.open[who]
	if o.index == 0 {
		return
	}
	d := (o.index*windowMillis - monday) / day
	w.closed = append(w.closed, windowInfo{who, int16(d), o.class, o.cohort, o.mature})
	w.scores = append(w.scores, w.most[int(who)*w.judges:int(who+1)*w.judges]...)
	o.index = 0
}

// end closes all that are open.
func (w *windows) end() {
	for who := range w.open {
		w.close(uint32(who))
	}
}

// score is a closed window's.
func (w *windows) score(i, judge int) float32 { return w.scores[i*w.judges+judge] }
