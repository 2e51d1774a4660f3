package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Anchors are slow means, held beside the fast ones: an attacker who raises
// the fast baseline by staying just inside what is usual moves the anchor by
// no more than anchorSpeed standard deviations a day. What is usual is the
// lesser of both.
const anchorSpeed = 0.05

// The places in Record.Anchors. 0 there is an anchor that is not set yet.
const (
	anchor1m = iota
	anchor10m
	anchor1h
	anchorNew
	anchorBytes
	anchorRecords
)

// anchor is a slow mean for comparison; 0: there is none.
func (l *look) anchor(i int) float64 {
	if !l.mature {
		return 0
	}
	return finite(l.rec.Anchors[i], -64, 1e6)
}

// nextDay is called with every lesson and acts once a day. Years of silence
// count as a week for the anchors: they give no more room.
func (l *look) nextDay() {
	day := uint16(l.now / (24 * 60 * 60))
	if !l.mature || day == l.rec.Learned {
		return
	}
	if passed := day - l.rec.Learned; l.rec.Learned != 0 && passed < 1<<15 {
		l.fadePrecedents(int(min(passed, 400)))
		l.moveAnchors(anchorSpeed * float64(min(passed, 7)))
	} else {
		l.moveAnchors(anchorSpeed) // the first day, or a clock that is wrong
	}
	l.rec.Learned = day
}

// moveAnchors moves each anchor by at most so many standard deviations.
func (l *look) moveAnchors(speed float64) {
	a, b, c := &l.rec.Anchors, &l.rec.Baseline, l.cohort
	follow(&a[anchor1m], &b.Requests1m, speed*c.requests1m.deviation(&b.Requests1m))
	follow(&a[anchor10m], &b.Requests10m, speed*c.requests10m.deviation(&b.Requests10m))
	follow(&a[anchor1h], &b.Requests1h, speed*c.requests1h.deviation(&b.Requests1h))
	if l.habits == nil {
		return
	}
	follow(&a[anchorNew], &b.New10m, speed*c.new10m.deviation(&b.New10m))
	follow(&a[anchorBytes], &b.Bytes10m, speed*spread(&b.Bytes10m))
	follow(&a[anchorRecords], &b.Records10m, speed*spread(&b.Records10m))
	for _, r := range [...]*profile.Residual{&l.rec.Bytes, &l.rec.Records} {
		follow(&r.Anchor, &r.Y, speed*spread(&r.Y))
	}
}

// follow moves an anchor towards the mean by at most step. It is dropped where
// the mean is first well known.
func follow(anchor *float32, m *window.Moments, step float64) {
	if !(m.N >= shrinkage) {
		return
	}
	mean, at := finite(m.Mean, -64, 1e6), finite(*anchor, -64, 1e6)
	if at != 0 {
		mean = at + min(max(mean-at, -step), step)
	}
	*anchor = float32(mean)
}

// deviation is the standard deviation of a window's count as it is believed.
func (p *countPrior) deviation(m *window.Moments) float64 {
	n, mean := finite(m.N, 0, 1e6), finite(m.Mean, smallestMean, 1e6)
	return math.Sqrt(mean + mean*mean/p.regularity(n, mean, m.Var()))
}

// spread is the standard deviation of a logarithm of volume, never less than
// half a doubling.
func spread(m *window.Moments) float64 {
	return math.Sqrt(finite(m.Var(), 0.25, 64*64))
}
