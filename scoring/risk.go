package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/window"
)

// Risk is how an identity has been: the sum of the evidence of its windows of ten
// minutes, half of it gone in a day:
//
//	risk(t) = sum over windows of max(0, score - 2) 2^(-(t - then)/24 h)
//
// where a window's score is the highest of its exchanges. One window in a hundred
// scores 2 with nothing wrong, one in ten thousand 4: an honest identity that is
// there all day collects
//
//	144 windows a day x 24 h/ln 2 x integral of 10^-s from 2 on = 0.9
//
// and one window that scores 6 brings 4. Only what the upstream accepted counts,
// and what we refused of somebody for whom the proxy vouches: who forges a name
// brings no risk to who bears it.
const (
	riskFrom     = 2
	riskHalfLife = 24 * 60 * 60 // seconds
	riskUnit     = 1 << 20      // of the record's integers
)

// ScoreVersion is input.score_version of policies: it grows when a score of old
// means something else, so that a rule that compares one with a constant can say
// of which it speaks. In version 1 a score is -log10 of a p-value among peers, 0 to
// 12, of detectors as of the whole; until peers are known it is the models' own.
// That tables are learned anew, that a detector is new or finds more, and that the
// threshold moves changes no meaning.
const ScoreVersion = 1

// incur notes what the exchange's window has come to.
func (l *look) incur(score float64) {
	if over := min(score, mostScore) - riskFrom; over > 0 {
		l.rec.Risk.Now = max(l.rec.Risk.Now, window.Encode(uint64(over*riskUnit)))
	}
}

// mostScore is the largest score there is.
const mostScore = 12

// closeRisk adds the window that is over to those before it, and lets time pass.
func (l *look) closeRisk(last uint32) {
	r := &l.rec.Risk
	if r.Past == 0 && r.Now == 0 {
		return
	}
	sum := float64(r.Past.Decode()+r.Now.Decode()) * math.Exp2(-float64(l.now-last)/riskHalfLife)
	r.Past, r.Now = window.Encode(uint64(sum+0.5)), 0
}

// risk is the sum as of now.
func (l *look) risk() float64 {
	return float64(l.rec.Risk.Past.Decode()+l.rec.Risk.Now.Decode()) / riskUnit
}
