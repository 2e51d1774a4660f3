package scoring

import (
	"cmp"
	"math"
	"slices"

	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/window"
)

// findings collects what the detectors say about one exchange.
type findings struct {
	surprises calibrate.Surprises // the most that each detector found, over entities and windows
	evidence  [MaxEvidence]Evidence
	n         int
	threshold float64 // as it stood when the request came; 0: not asked yet
	sum       float64 // of the e-values; 0: there are none
}

// worthTelling is the least score of evidence: one window in ten is no news.
const worthTelling = 1

func isNews(bits float64) bool { return bits*log10of2 >= worthTelling }

func (f *findings) reset() {
	f.surprises.Reset()
	f.n, f.threshold, f.sum = 0, 0, 0
}

// run notes that a detector had something to judge, whatever it found: the
// number of questions is what an uncalibrated score pays for. Where there is
// nothing to ask about, no object, no companion, no error, no version, no body
// yet, a detector does not run.
func (f *findings) run(d Detector) {
	if f.surprises.Has(int(d)) {
		return
	}
	f.surprises.Run(int(d), ordinary)
	if isQuestion(d) {
		f.surprises.Questions++
	}
}

// isQuestion: drift and slow never speak alone; and bulk is one question with volume.
func isQuestion(d Detector) bool { return d != Drift && d != Slow && d != Bulk }

// withdraw takes back all that the detectors of a mask, a bit each, have found.
func (f *findings) withdraw(mask uint32) {
	for d := range Detectors {
		if bit := uint32(1) << d; mask&bit != 0 && f.surprises.Has(d) {
			f.surprises.Ran &^= bit
			if isQuestion(Detector(d)) {
				f.surprises.Questions--
			}
		}
	}
	kept := slices.DeleteFunc(f.evidence[:f.n], func(e Evidence) bool { return mask>>e.Detector&1 == 1 })
	f.n = len(kept)
}

func (f *findings) ran(d Detector) bool { return f.surprises.Has(int(d)) }

// add takes a finding. A later one of the same detector, entity and unit
// replaces the earlier: the same question, asked again as a body passes.
func (f *findings) add(e Evidence) {
	f.run(e.Detector)
	raw, held := &f.surprises.Raw[e.Detector], &f.surprises.Held[e.Detector]
	*raw, *held = max(*raw, e.raw), max(*held, e.held)
	if !isNews(max(e.raw, e.held)) {
		return
	}
	for i := range f.n {
		if o := &f.evidence[i]; o.Detector == e.Detector && o.Entity == e.Entity && o.Unit == e.Unit {
			*o = e
			return
		}
	}
	if f.n < MaxEvidence {
		f.evidence[f.n] = e
		f.n++
		return
	}
	least := 0
	for i := range f.n {
		if f.evidence[i].raw < f.evidence[least].raw {
			least = i
		}
	}
	if f.evidence[least].raw < e.raw {
		f.evidence[least] = e
	}
}

// assess makes a score of the findings. It never falls while an exchange goes
// on, since findings are never taken back; and the threshold is the one that
// stood when the request came.
func (f *findings) assess(a *Assessment, c Calibrator, who *calibrate.Who) {
	v := c.Score(who, &f.surprises)
	if math.IsNaN(v.Score) {
		v.Score = 0
	}
	if f.threshold == 0 {
		f.threshold = v.Threshold
	}
	f.sum = v.Sum
	a.Score = max(a.Score, v.Score)
	a.Threshold = f.threshold
	a.Anomalous = a.Anomalous || a.Score >= f.threshold
	a.Evidence = f.rank()
}

// rank weighs the evidence and puts it in the order of less. What its peers do as
// well is no news, and is left out; as is what another finding tells better.
func (f *findings) rank() []Evidence {
	news := f.n
	for i := range f.n {
		f.weigh(&f.evidence[i])
	}
	for i := range f.n {
		switch e := &f.evidence[i]; {
		case e.Detector == Bulk && (f.oneTells(e) || f.rateTells(e)):
			e.Bits, e.Score, e.Share = 0, 0, 0
		case (e.Detector == Bulk || e.Detector == Rate) && f.walkTells(e):
			e.telling--
		case e.Detector == NewObjects && f.paceTells(e):
			e.telling--
		}
	}
	for i := range f.n {
		for at := i; at > 0 && f.evidence[at-1].less(&f.evidence[at]); at-- {
			f.evidence[at-1], f.evidence[at] = f.evidence[at], f.evidence[at-1]
		}
	}
	for news > 0 && f.evidence[news-1].Score < worthTelling {
		news--
	}
	return f.evidence[:news]
}

// oneTells says whether ten minutes' volume is one response's, which says so itself.
func (f *findings) oneTells(bulk *Evidence) bool {
	for i := range f.n {
		one := &f.evidence[i]
		if one.Detector == Volume && one.Entity == bulk.Entity && one.Unit == bulk.Unit &&
			one.Observed >= bulk.Observed/2 && one.Score >= max(bulk.Score/2, worthTelling) {
			return true
		}
	}
	return false
}

// rateTells says whether ten minutes' volume is that of many ordinary responses.
func (f *findings) rateTells(bulk *Evidence) bool {
	many := false
	for i := range f.n {
		switch e := &f.evidence[i]; {
		case e.Entity != bulk.Entity:
		case e.Detector == Volume && e.Unit == bulk.Unit && e.Score >= worthTelling:
			return false
		case e.Detector == Rate && e.Score >= certain:
			many = true
		}
	}
	return many
}

// mostOf the requests ask for a new object where a walk is what makes them many,
// and do not where a few come with the many.
const mostOf = 0.75

// walkTells says whether a pace, or ten minutes' volume, is that of new objects.
// Who walks ids walks them fast; who does a hundred times what it always does
// meets some that are new.
func (f *findings) walkTells(much *Evidence) bool {
	walked, asked := 0.0, 0.0
	for i := range f.n {
		switch e := &f.evidence[i]; {
		case e.Entity != much.Entity:
		case e.Detector == Rate:
			asked = max(asked, e.Observed)
		case e.Detector == NewObjects && e.Score >= certain:
			walked = e.Observed
		}
	}
	return walked > 0 && walked >= mostOf*asked
}

// paceTells says whether new objects are few among many requests: whoever does so
// much meets them.
func (f *findings) paceTells(objects *Evidence) bool {
	for i := range f.n {
		if e := &f.evidence[i]; e.Detector == Rate && e.Entity == objects.Entity && e.Score >= certain &&
			objects.Observed < (1-mostOf)*e.Observed {
			return true
		}
	}
	return false
}

// weigh takes the model at its word, held back, until there are tables. From
// then on what counts is the detector's p-value among peers, -2 log2 of which
// was made the e-value; of several entities that it found something about, those
// with less have less in proportion.
func (f *findings) weigh(e *Evidence) {
	e.Bits, e.Share, e.telling = e.held, 0, telling[e.Detector]
	if f.sum > 0 {
		value := float64(f.surprises.Evalues[e.Detector])
		e.Bits = max(0, 2*window.Log2(2*value)) * min(e.raw/f.surprises.Raw[e.Detector], 1)
		e.Share = min(value/f.sum, 1)
	}
	e.Score = min(e.Bits*log10of2, calibrate.MaxScore)
}

// certain is one window in a hundred: from there on something is odd, whichever
// finding is the oddest, and what matters is what it is.
const certain = 2

// telling is how much a detector says about what goes on. A scan of an API makes
// errors, goes in no order of its own and is fast: but it is a scan.
var telling = [Detectors]int8{
	Stuffing: 4, Recon: 4, Enumeration: 4, Replay: 4,
	Takeover: 3, Switches: 3,
	Sequence: 2, Volume: 2,
	Rate: 1, NewObjects: 1, Bulk: 1, Device: 1, Network: 1, Country: 1, Companion: 1, Method: 1, Version: 1,
}

// less: e counts less than o. Of what is certain, that comes first which tells
// most. What counts alike is told in a fixed order, whatever the order in which it
// was found.
func (e *Evidence) less(o *Evidence) bool {
	if e.Score >= certain && o.Score >= certain && e.telling != o.telling {
		return e.telling < o.telling
	}
	return cmp.Or(cmp.Compare(o.Score, e.Score), cmp.Compare(o.Bits, e.Bits),
		cmp.Compare(e.Detector, o.Detector), cmp.Compare(e.Entity, o.Entity), cmp.Compare(e.Unit, o.Unit)) > 0
}
