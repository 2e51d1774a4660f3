package scoring

import "math"

// findings collects what the detectors say about one exchange.
type findings struct {
	bits     [Detectors]float64 // the most that each detector found, over entities and windows
	ran      [Detectors]bool
	k        int // detectors that ran
	evidence [MaxEvidence]Evidence
	n        int
	ranked   [Detectors]float64 // room for the calibrator's argument
}

// worthTelling is the least score of evidence: one window in ten is no news.
const worthTelling = 1

func isNews(bits float64) bool { return bits*log10of2 >= worthTelling }

func (f *findings) reset() {
	f.bits, f.ran, f.k, f.n = [Detectors]float64{}, [Detectors]bool{}, 0, 0
}

// run notes that a detector had something to judge, whatever it found: the
// number of questions is what the score pays for. Where there is nothing to ask
// about, no object, no companion, no error, no version, no body yet, a detector
// does not run.
func (f *findings) run(d Detector) {
	if !f.ran[d] {
		f.ran[d] = true
		f.bits[d] = ordinary
		f.k++
	}
}

// add takes a finding. A later one of the same detector, entity and unit
// replaces the earlier: the same question, asked again as a body passes.
func (f *findings) add(e Evidence) {
	f.run(e.Detector)
	f.bits[e.Detector] = max(f.bits[e.Detector], e.Bits)
	if !isNews(e.Bits) {
		return
	}
	e.Score = min(e.Bits*log10of2, 12)
	for i := range f.n {
		if o := &f.evidence[i]; o.Detector == e.Detector && o.Entity == e.Entity && o.Unit == e.Unit {
			copy(f.evidence[i:f.n], f.evidence[i+1:f.n])
			f.n--
			break
		}
	}
	at := f.n
	for at > 0 && f.evidence[at-1].Bits < e.Bits {
		at--
	}
	if at == MaxEvidence {
		return
	}
	f.n = min(f.n+1, MaxEvidence)
	copy(f.evidence[at+1:f.n], f.evidence[at:f.n-1])
	f.evidence[at] = e
}

// assess makes a score of the findings. It never falls while an exchange goes
// on, since findings are never taken back.
func (f *findings) assess(a *Assessment, c Calibrator) {
	k := 0
	for d := range f.ran {
		if f.ran[d] {
			f.ranked[k] = f.bits[d]
			k++
		}
	}
	score, threshold := c.Score(f.ranked[:k])
	if math.IsNaN(score) {
		score = 0
	}
	a.Score = max(a.Score, score)
	a.Threshold = threshold
	a.Anomalous = a.Anomalous || a.Score >= threshold
	a.Evidence = f.evidence[:f.n]
}
