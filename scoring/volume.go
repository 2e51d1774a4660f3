package scoring

import (
	"math"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Volume: one response holds more bytes or more records than is usual. Bulk: the
// responses of ten minutes do, together. What is usual is a Student-t on the logarithm,
// whose parameters are taken from the record once, at Begin; judging then
// needs no record and no lock, however often a streaming body asks.

// predictive is what is usual for one quantity: log2(1+v) is Student-t around
// center.
type predictive struct {
	center, scale, nu float64
	confidence        float64
}

// measure is what is known of bytes, or of records.
type measure struct {
	one    predictive // a response
	ten    predictive // ten minutes' responses together
	record record     // the largest ten minutes so far
	before float64    // in the ten minutes before this response
	route  routeScale
}

// predictions are an entity's, for one exchange.
type predictions struct {
	known, mature  bool
	ceiling        float64 // bits, of a kind
	bytes, records measure
	lately         float64 // by how many deviations its last windows lie above what is typical
}

// Predictions of a volume are never more certain than this, in doublings:
// who always reads 10 records may well once read 100.
const (
	leastScale  = 0.5 // one response
	leastWindow = 1   // ten minutes
)

// mostNu bounds the degrees of freedom. Behaviour has a few modes, a page of 10
// and a page of 1,000, and its tails are far heavier than a normal's: with 30
// degrees the raw detector fired 32 times too often in the prototype. The sum of
// ten minutes averages its modes out, and its bound is what a thief meets who
// takes a page at a time.
const (
	mostNu       = 8 // one response
	mostNuWindow = 100
)

func (q *predictive) bits(v float64) float64 { return q.surprise(window.Log2(1 + v)) }

// surprise is bits of x = log2(1+v).
func (q *predictive) surprise(x float64) float64 {
	t := (x - q.center) / q.scale
	if !(t > 1) { // one in six: no news, and no logarithm
		return ordinary
	}
	return max(ordinary, studentBits(t, q.nu)*q.confidence)
}

// usual is the middle of what is usual.
func (q *predictive) usual() float64 { return max(window.Exp2(q.center)-1, 0) }

// most is the largest volume that lies no further out than the normal deviate z.
func (q *predictive) most(z float64, tail *tail) float64 {
	return window.Exp2(min(q.center+q.scale*tail.student(z, q.nu), 62)) - 1
}

// tails keeps the quantiles that were last asked for, each kind for itself: all
// entities of an exchange ask for the same z, and most have the same nu.
type tails struct{ mostly, one, ten tail }

type tail struct{ z, nu, t float64 }

// student is studentQuantile(z, nu).
func (q *tail) student(z, nu float64) float64 {
	if q.z != z || q.nu != nu {
		*q = tail{z: z, nu: nu, t: studentQuantile(z, nu)}
	}
	return q.t
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
	v := (n*finite(m.Var(), 0, 64*64) + routePrior*sigma*sigma) / (n + routePrior)
	return routeScale{
		mu:    (n*finite(m.Mean, 0, 64) + routePrior*mu) / (n + routePrior),
		sigma: max(math.Sqrt(v), leastRouteSigma),
	}
}

// predict fills the entity's predictions from its record.
func (l *look) predict() {
	p, rec, sc := &l.entity.predictions, l.rec, l.ex.scratch
	p.known, p.mature, p.ceiling = true, l.mature, l.cohort.ceiling
	b, r := &rec.Baseline, &rec.HabitRings
	p.bytes = measure{
		route:  scaleOf(&sc.route.bytes, 11, 3),
		ten:    l.volume(&b.Bytes10m, anchorBytes, l.cohort.bytes10m, rec.Spreads.Bytes10m),
		before: window.SlidingValue(r.Bytes10m[:], tenMinutes, l.now),
	}
	p.records = measure{
		route:  scaleOf(&sc.route.records, 3, 2),
		ten:    l.volume(&b.Records10m, anchorRecords, l.cohort.records10m, rec.Spreads.Records10m),
		before: window.SlidingValue(r.Records10m[:], tenMinutes, l.now),
	}
	p.bytes.record = record{n: float64(b.Bytes10m.N), largest: l.entity.precedents.limit(tenBytes)}
	p.records.record = record{n: float64(b.Records10m.N), largest: l.entity.precedents.limit(tenRecords)}
	p.lately = l.lately()
	p.bytes.one = l.response(&rec.Bytes, p.bytes.route)
	p.records.one = l.response(&rec.Records, p.records.route)
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
	own := l.held(s.sigma*responseSpread(&r.Y), r.Spread) * math.Sqrt(1+1/(n+routePrior))
	return predictive{
		center:     s.mu + s.sigma*mean,
		scale:      max(own, leastScale),
		nu:         min(n+3, mostNu),
		confidence: confidence(n),
	}
}

// volume predicts the sum of an active ten minutes, with a prior of two at
// 2^prior and three of a spread of three doublings.
func (l *look) volume(m *window.Moments, anchor int, prior float64, slow float32) predictive {
	n := finite(m.N, 0, 1e6)
	mean := (n*finite(m.Mean, 0, 64) + 2*prior) / (n + 2)
	if a := l.anchor(anchor); a != 0 {
		mean = min(mean, a)
	}
	return predictive{
		center:     mean,
		scale:      max(l.held(windowSpread(m), slow), leastWindow),
		nu:         min(n+3, mostNuWindow),
		confidence: confidence(n),
	}
}

// responseSpread is the spread of an identity's y, with three of the population's.
func responseSpread(y *window.Moments) float64 {
	return math.Sqrt((3 + finite(y.M2, 0, 1e9)) / (3 + finite(y.N, 0, 1e6)))
}

// windowSpread is that of ten minutes' volume, with three of three doublings.
func windowSpread(m *window.Moments) float64 {
	return math.Sqrt((27 + finite(m.M2, 0, 1e9)) / (3 + finite(m.N, 0, 1e6)))
}

// judgeVolume asks about the response as far as it is known. Where its records
// are counted and no more than usual, its bytes are a large document, and held
// back: records are what somebody comes for.
func judgeVolume(ex *Exchange) {
	sc := ex.scratch
	bytes, records := sizes(ex)
	sc.bytes, sc.records = amountOf(bytes), amountOf(records)
	for k := range sc.entities {
		e := &sc.entities[k]
		if !e.predictions.known {
			continue
		}
		most := [2]float64{math.Inf(1), math.Inf(1)}
		if records >= 0 {
			one, ten := e.judge(ex, profile.Kind(k), sc.records, &e.predictions.records, oneRecords, "records", most)
			most = [2]float64{subdued + one, subdued + ten}
		}
		if bytes >= 0 {
			e.judge(ex, profile.Kind(k), sc.bytes, &e.predictions.bytes, oneBytes, "bytes", most)
			e.judgeDrift(ex, profile.Kind(k), sc.bytes.v)
		}
	}
}

// amount is what a response holds of a measure, and its logarithm, which all
// entities and the route are asked about: log2(1+v).
type amount struct {
	v    float64 // -1: not known
	log2 float64
}

func amountOf(v int64) amount {
	if v < 0 {
		return amount{v: -1}
	}
	return amount{float64(v), window.Log2(1 + float64(v))}
}

// judge asks about one measure of the response, and of ten minutes; q is the
// response's quantity. It returns both surprises, of no more than most bits.
func (e *entity) judge(ex *Exchange, kind profile.Kind, of amount, m *measure, q quantity, unit string, most [2]float64) (one, ten float64) {
	v, sum := of.v, m.before+of.v
	one = min(e.precedents.hold(q, v, m.one.surprise(of.log2)), most[0])
	ten = min(e.precedents.hold(q.ten(), sum, max(m.ten.bits(sum), m.record.bits(sum))), most[1])
	e.find(ex, Evidence{Detector: Volume, Entity: kind, Unit: unit, Bits: one, Observed: v}, &m.one)
	e.find(ex, Evidence{Detector: Bulk, Entity: kind, Unit: unit, Bits: ten, Observed: sum, Window: 10 * time.Minute}, &m.ten)
	return one, ten
}

// find hands on a finding, held back where the record may not alarm by the model
// alone.
func (e *entity) find(ex *Exchange, f Evidence, usual *predictive) {
	e.findHeld(ex, f, usual, math.Inf(1))
}

func (e *entity) findHeld(ex *Exchange, f Evidence, usual *predictive, most float64) {
	p := &e.predictions
	f.raw = min(f.Bits, p.ceiling)
	if f.held = min(f.raw, most); !p.mature {
		f.held = min(f.held, subdued)
	}
	if isNews(f.raw) {
		f.Expected = usual.usual()
	}
	ex.scratch.findings.add(f)
}

// sizes are what the response tells about volume; -1 where it tells nothing.
// An error's body says nothing about what is taken, and a HEAD has none.
func sizes(ex *Exchange) (bytes, records int64) {
	if ex.Status >= 400 || ex.Status == 304 || string(ex.Method) == "HEAD" {
		return -1, -1
	}
	return ex.ResponseBytes, ex.Records
}

// mostly is what one response in twenty exceeds; 0: too little is known.
func (m *measure) mostly(t *tails) int64 {
	if m.one.confidence < 1 {
		return 0
	}
	return int64(min(max(m.one.most(1.645, &t.mostly), 1), 1<<62))
}

// bound is how much a detector may find before the threshold is reached: bits,
// and the normal deviate that they stand for.
type bound struct{ bits, z float64 }

// most is the largest response of this entity on this route that would stay
// under the threshold, alone and, where ten is not zero, on top of what the last
// ten minutes held. 0: too little is known.
func (e *entity) most(m *measure, q quantity, one, ten bound, t *tails) int64 {
	if m.one.confidence < 1 {
		return 0 // too little is known of this measure
	}
	most := max(m.one.most(one.z, &t.one), e.precedents.within(q, one.bits))
	if m.ten.confidence == 1 && ten != (bound{}) {
		sum := min(m.ten.most(ten.z, &t.ten), m.record.most(ten.bits))
		most = min(most, max(sum, e.precedents.within(q.ten(), ten.bits))-m.before)
	}
	return int64(min(max(most, 1), 1<<62)) // 0 would mean that it is not known
}
