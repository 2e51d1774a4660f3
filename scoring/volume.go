package scoring

import (
	"math"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Volume: one response, or the responses of ten minutes, hold more bytes or
// more records than is usual. What is usual is a Student-t on the logarithm,
// whose parameters are taken from the record once, at Begin; judging then
// needs no record and no lock, however often a streaming body asks.

// predictive is what is usual for one quantity: log2(1+v) is Student-t around
// center.
type predictive struct {
	center, scale, nu float64
	confidence        float64
}

// predictions are an entity's, for one exchange.
type predictions struct {
	known          bool
	ceiling        float64
	bytes, records predictive // of one response
	windowBytes    predictive // of ten minutes' responses together
	windowRecords  predictive
	bytesBefore    float64 // in the ten minutes before this response
	recordsBefore  float64
	bytesDrift     float64 // CUSUMs
	recordsDrift   float64
	route          [2]routeScale
	mature         bool
}

// Two predictions of a volume are never more certain than this, in doublings:
// who always reads 10 records may well once read 100.
const (
	leastScale  = 0.5 // one response
	leastWindow = 1   // ten minutes
)

// mostNu bounds the degrees of freedom. Behaviour has a few modes, a page of 10
// and a page of 1,000, and its tails are far heavier than a normal's: with 30
// degrees the raw detector fired 32 times too often in the prototype.
const mostNu = 8

func (q *predictive) bits(v float64) float64 {
	t := (window.Log2(1+v) - q.center) / q.scale
	if !(t > 0) || q.confidence == 0 {
		return ordinary
	}
	return max(ordinary, studentBits(t, q.nu)*q.confidence)
}

// usual is the middle of what is usual.
func (q *predictive) usual() float64 { return max(math.Exp2(q.center)-1, 0) }

// most is the largest volume with at most this surprise.
func (q *predictive) most(bits float64) int64 {
	if q.confidence == 0 {
		return math.MaxInt64
	}
	v := math.Exp2(min(q.center+q.scale*studentQuantile(bits/q.confidence, q.nu), 62)) - 1
	return int64(max(v, 1))
}

// routeScale is a route's population as a ruler: y = (log2(v+1) - mu)/sigma.
type routeScale struct{ mu, sigma float64 }

// A route is believed to answer with 2 KiB and with 7 records, give or take
// three doublings and two, until five responses' worth of its own is known. Its
// ruler is never finer than half a doubling.
const (
	routePrior      = 5.0
	leastRouteSigma = 0.5
)

func scaleOf(m *window.Moments, mu, sigma float64) routeScale {
	n := finite(m.N, 0, 1e6)
	v := (n*min(m.Var(), 64*64) + routePrior*sigma*sigma) / (n + routePrior)
	return routeScale{
		mu:    (n*finite(m.Mean, 0, 64) + routePrior*mu) / (n + routePrior),
		sigma: max(math.Sqrt(v), leastRouteSigma),
	}
}

// predict fills the entity's predictions from its record.
func (l *look) predict() {
	l.ex.scratch.findings.run(Volume)
	p, rec, sc := &l.entity.predictions, l.rec, &l.ex.scratch
	p.known, p.mature, p.ceiling = true, l.mature, l.cohort.ceiling
	if !l.mature {
		p.ceiling = min(p.ceiling, subdued)
	}
	p.route[0] = scaleOf(&sc.route.bytes, 11, 3)
	p.route[1] = scaleOf(&sc.route.records, 3, 2)
	p.bytes = l.response(&rec.Bytes, p.route[0])
	p.records = l.response(&rec.Records, p.route[1])
	p.windowBytes = l.volume(&rec.Baseline.Bytes10m, anchorBytes, 15)
	p.windowRecords = l.volume(&rec.Baseline.Records10m, anchorRecords, 6)
	p.bytesBefore = window.SlidingValue(rec.Rings.Bytes10m[:], tenMinutes, l.now)
	p.recordsBefore = window.SlidingValue(rec.Rings.Records10m[:], tenMinutes, l.now)
	p.bytesDrift = finite(rec.Bytes.Up, 0, driftMost)
	p.recordsDrift = finite(rec.Records.Up, 0, driftMost)
}

// response predicts one response's size: the identity's own y, n of them with a
// prior of five at the population's middle and three of its spread, on the
// route's ruler.
func (l *look) response(r *profile.Residual, s routeScale) predictive {
	n := finite(r.Y.N, 0, 1e6)
	mean := n * finite(r.Y.Mean, -64, 64) / (n + routePrior)
	if a := finite(r.Anchor, -64, 64); a != 0 && l.mature {
		mean = min(mean, a)
	}
	own := math.Sqrt((3 + finite(r.Y.M2, 0, 1e9)) / (3 + n) * (1 + 1/(n+routePrior)))
	return predictive{
		center:     s.mu + s.sigma*mean,
		scale:      max(s.sigma*own, leastScale),
		nu:         min(n+3, mostNu),
		confidence: confidence(n),
	}
}

// volume predicts the sum of an active ten minutes, with a prior of two at
// 2^prior and three of a spread of three doublings.
func (l *look) volume(m *window.Moments, anchor int, prior float64) predictive {
	n := finite(m.N, 0, 1e6)
	mean := (n*finite(m.Mean, 0, 64) + 2*prior) / (n + 2)
	if a := l.anchor(anchor); a != 0 {
		mean = min(mean, a)
	}
	return predictive{
		center:     mean,
		scale:      max(math.Sqrt((27+finite(m.M2, 0, 1e9))/(3+n)), leastWindow),
		nu:         min(n+3, mostNu),
		confidence: confidence(n),
	}
}

// judgeVolume asks about the response as far as it is known.
func judgeVolume(ex *Exchange) {
	bytes, records := sizes(ex)
	for k := range ex.scratch.entities {
		p := &ex.scratch.entities[k].predictions
		if !p.known {
			continue
		}
		if bytes >= 0 {
			p.judge(ex, profile.Kind(k), float64(bytes), p.bytesBefore, p.bytesDrift, &p.bytes, &p.windowBytes, "bytes")
		}
		if records >= 0 {
			p.judge(ex, profile.Kind(k), float64(records), p.recordsBefore, p.recordsDrift, &p.records, &p.windowRecords, "records")
		}
	}
}

func (p *predictions) judge(ex *Exchange, kind profile.Kind, v, before, drift float64, one, ten *predictive, unit string) {
	best := Evidence{Detector: Volume, Entity: kind, Unit: unit, Bits: one.bits(v), Observed: v, Expected: one.usual()}
	if s := ten.bits(before + v); s > best.Bits {
		best.Bits, best.Observed, best.Expected, best.Window = s, before+v, ten.usual(), 10*time.Minute
	}
	if s := driftBits(drift); s > best.Bits && v > one.usual() {
		best.Bits, best.Observed, best.Expected, best.Window = s, v, one.usual(), driftWindow
	}
	best.Bits = min(best.Bits, p.ceiling)
	ex.scratch.findings.add(best)
}

// sizes are what the response tells about volume; -1 where it tells nothing.
// An error's body says nothing about what is taken, and a HEAD has none.
func sizes(ex *Exchange) (bytes, records int64) {
	if ex.Status >= 400 || ex.Status == 304 || string(ex.Method) == "HEAD" {
		return -1, -1
	}
	return ex.ResponseBytes, ex.Records
}

// usualResponse is the largest response of this caller on this route that alone
// would stay under the threshold, which the surprise limit stands for.
func (p *predictions) usualResponse(limit float64) (bytes, records int64) {
	if !p.mature {
		return 0, 0
	}
	if p.bytes.confidence == 1 {
		bytes = p.bytes.most(limit)
	}
	if p.records.confidence == 1 {
		records = p.records.most(limit)
	}
	return bytes, records
}
