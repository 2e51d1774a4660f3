package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/window"
)

// Anchors are slow means, held beside the fast ones: an attacker who raises
// the fast baseline by staying just inside what is usual moves the anchor by
// no more than anchorSpeed standard deviations a day, net of what the whole
// cohort moved (shifts.go). What is usual is the lesser of both.
//
// Spreads of volume are held likewise: a mean that climbs leaves its track in
// the variance, and who widens what is usual needs not move it.
const (
	anchorSpeed = 0.05
	spreadSpeed = 0.005 // of itself, a day
)

// A spread is made by what happens seldom, so it takes longer to be known than
// a mean: a week, and that many responses or windows.
const (
	spreadAge = 7 * aDay // seconds
	spreadN   = 3 * shrinkage
)

// The places in Record.Anchors. 0 there is an anchor that is not set yet.
const (
	anchor1m = iota
	anchor10m
	anchor1h
	anchorNew
	anchorBytes
	anchorRecords
	anchorNone // of a quantity that has none
)

// anchor is a slow mean for comparison; 0: there is none.
func (l *look) anchor(i int) float64 {
	if !l.mature {
		return 0
	}
	return finite(l.rec.Anchors[i], -64, 1e6)
}

// moveAnchors moves each anchor by what so many days allow.
func (l *look) moveAnchors(days float64) {
	rec, b, c, drift := l.rec, &l.rec.Baseline, l.cohort, l.norms.drift(l.peers)
	count := func(i int, m *window.Moments, p *countPrior) {
		step := p.deviation(m)
		if a := finite(rec.Anchors[i], 0, 1e6); a > 0 && a < float64(m.Mean) {
			step *= a / float64(m.Mean) // the deviation at the anchor, not at the mean that has run ahead
		}
		follow(&rec.Anchors[i], m, (anchorSpeed*days+drift[i])*step)
	}
	count(anchor1m, &b.Requests1m, &c.requests1m)
	count(anchor10m, &b.Requests10m, &c.requests10m)
	count(anchor1h, &b.Requests1h, &c.requests1h)
	if l.habits == nil {
		return
	}
	count(anchorNew, &b.New10m, &c.new10m)
	// unit is how many doublings one of the anchor's is. A spread is held in
	// doublings, or a route's ruler that stretches would stretch it along.
	volume := func(i int, anchor, slow *float32, m *window.Moments, spread, unit float64) {
		spread *= unit
		follow(anchor, m, (anchorSpeed*days+drift[i])*max(l.held(spread, *slow)/unit, 0.5))
		if l.now-min(rec.Created, l.now) >= spreadAge && m.N >= spreadN {
			followSpread(slow, spread, spreadSpeed*days)
		}
	}
	volume(anchorBytes, &rec.Anchors[anchorBytes], &rec.Spreads.Bytes10m, &b.Bytes10m, windowSpread(&b.Bytes10m), 1)
	volume(anchorRecords, &rec.Anchors[anchorRecords], &rec.Spreads.Records10m, &b.Records10m, windowSpread(&b.Records10m), 1)
	l.followTypical(anchorSpeed*days + drift[gapResponseBytes])
	p := &l.entity.predictions
	volume(gapResponseBytes, &rec.Bytes.Anchor, &rec.Bytes.Spread, &rec.Bytes.Y, responseSpread(&rec.Bytes.Y), p.bytes.route.sigma)
	volume(gapResponseRecords, &rec.Records.Anchor, &rec.Records.Spread, &rec.Records.Y, responseSpread(&rec.Records.Y), p.records.route.sigma)
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

// followSpread moves a slow spread towards the spread by a share of itself.
func followSpread(slow *float32, spread, share float64) {
	if at := finite(*slow, 0, 64); at > 0 {
		spread = min(max(spread, at/(1+share)), at*(1+share))
	}
	*slow = float32(spread)
}

// held is the lesser of a spread and its anchor, where there is one.
func (l *look) held(spread float64, slow float32) float64 {
	if at := finite(slow, 0, 64); at > 0 && l.mature {
		return min(spread, at)
	}
	return spread
}

// deviation is the standard deviation of a window's count as it is believed.
func (p *countPrior) deviation(m *window.Moments) float64 {
	n, mean := finite(m.N, 0, 1e6), finite(m.Mean, p.least, 1e6)
	return math.Sqrt(mean + mean*mean/p.regularity(n, mean, m.Var()))
}
