package scoring

import (
	"errors"
	"math"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// By is what a baseline was replaced by the word of.
type By uint8

// The grounds.
const (
	ByNobody By = iota // it was not
	ByTime
	ByCohort
	ByOperator
	Bys int = iota
)

var byNames = [Bys]string{"", "time", "cohort", "operator"}

// String is the ground's name in logs and metrics.
func (b By) String() string { return byNames[b] }

// Replacement tells of a baseline that a challenger has replaced.
type Replacement struct {
	Kind  profile.Kind
	Key   profile.Key
	Name  string
	By    By
	Times float64 // how many times the requests of ten minutes, or, if that is more, their bytes
}

// succeed lets a challenger that has grown take over if it may.
func (l *look) succeed() {
	if l.habits.Challenger.Flags&due == 0 {
		return
	}
	c, s := &l.habits.Challenger, l.climb()
	c.Flags &^= due
	switch {
	case !l.clean() || s.largest() > mostStep:
	case c.Days >= challengeDays && c.Sessions >= challengeSessions:
		l.adopt(&s, ByTime)
	case c.N[stepRequests] >= challengeWindows && l.norms.peersMoved(l.peers, &s):
		l.adopt(&s, ByCohort)
	}
}

// ErrNothingRejected: there is no challenger to accept.
var ErrNothingRejected = errors.New("nothing of it was found anomalous and was let pass lately")

// Accept replaces what is usual for somebody by what was anomalous lately, on an
// operator's word. What we denied cannot be accepted: it was never seen whole.
func (s *Scorer) Accept(key profile.Key) (Replacement, error) {
	rec, pin, ok := s.store.Find(key)
	if !ok {
		return Replacement{}, ErrNothingRejected
	}
	defer pin.Release()
	if !habitual(rec.Kind) || !challenging(&rec.Habits().Challenger) {
		return Replacement{}, ErrNothingRejected
	}
	l := s.look(&Exchange{scratch: &scratch{}}, rec, rec.Kind)
	l.now = rec.LastSeen
	p := &l.entity.predictions // of no route: the ruler is what is believed of one
	p.bytes.route, p.records.route = scaleOf(&window.Moments{}, 11, 3), scaleOf(&window.Moments{}, 3, 2)
	step := l.climb()
	l.adopt(&step, ByOperator)
	return s.announce(l), nil
}

// Challenge is what was anomalous of somebody and let pass lately.
type Challenge struct {
	Times    float64 `json:"times"` // the requests of ten minutes, or their bytes, by what is usual
	Days     int     `json:"days"`  // in a row without a reason to mistrust it
	Sessions int     `json:"sessions"`
}

// ChallengeOf reads it from a record; the zero Challenge is none.
func ChallengeOf(rec *profile.Record) Challenge {
	if !habitual(rec.Kind) || !challenging(&rec.Habits().Challenger) {
		return Challenge{}
	}
	l := look{rec: rec, habits: rec.Habits(), entity: &entity{}}
	s, c := l.climb(), &l.habits.Challenger
	return Challenge{s.times(), int(c.Days), int(c.Sessions)}
}

// clean: what was anomalous is the rule, and nobody else can have come.
func (l *look) clean() bool {
	c, b := &l.habits.Challenger, &l.habits.Behaviour
	return c.Ordinary <= c.N[stepRequests] && (b.Novel == 0 || uint16(l.now/aDay)-b.Novel >= noveltyRest)
}

// step is how far the challenger lies above the baseline, in doublings, never
// less than 0: who does less than is usual is not stuck.
type step [steps]float64

// challenging: the challenger has windows, or responses.
func challenging(c *profile.Challenger) bool { return c.N[stepRequests] > 0 || c.N[stepResponse] > 0 }

func (l *look) climb() (s step) {
	c, b := &l.habits.Challenger, &l.rec.Baseline
	count := func(i int, m *window.Moments) {
		s[i] = math.Log2(max(finite(c.Mean[i], 0, 1e6), 1) / max(finite(m.Mean, 0, 1e6), 1))
	}
	doublings := func(i int, m *window.Moments, unit float64) {
		s[i] = unit * (finite(c.Mean[i], -64, 64) - finite(m.Mean, -64, 64))
	}
	count(stepRequests, &b.Requests10m)
	count(stepNew, &b.New10m)
	doublings(stepBytes, &b.Bytes10m, 1)
	doublings(stepRecords, &b.Records10m, 1)
	s[stepHour] = math.Log2(max(float64(window.Minifloat(c.Hour).Decode()), 1) / max(finite(b.Requests1h.Mean, 0, 1e6), 1))
	doublings(stepResponse, &l.rec.Bytes.Y, max(l.entity.predictions.bytes.route.sigma, leastRouteSigma))
	for i := range s {
		if s[i] = max(s[i], 0); i < len(c.N) && c.N[i] == 0 {
			s[i] = 0
		}
	}
	return s
}

func (s *step) largest() (most float64) {
	for _, v := range s {
		most = max(most, v)
	}
	return most
}

// times is how many times the usual it is, in requests or bytes of ten minutes.
func (s *step) times() float64 { return math.Exp2(max(s[stepRequests], s[stepBytes])) }

// adopt moves the baseline, its anchors and its precedents by the step, and
// leaves their spreads: the same habits, on another scale. What the challenger
// does not tell of follows its kin, a minute the ten, a response's records what
// records there are more of than requests.
func (l *look) adopt(s *step, by By) {
	rec, c, b := l.rec, &l.habits.Challenger, &l.rec.Baseline
	l.by, l.times = by, s.times()
	records := max(s[stepRecords]-s[stepRequests], 0)

	l.multiply(&b.Requests1m, anchor1m, requests1m, s[stepRequests])
	l.multiply(&b.Requests10m, anchor10m, requests10m, s[stepRequests])
	l.multiply(&b.Requests1h, anchor1h, requests1h, max(s[stepHour], s[stepRequests]))
	l.multiply(&b.New10m, anchorNew, new10m, s[stepNew])
	l.multiply(&b.New1h, anchorNone, new1h, s[stepNew])
	l.shift(&b.Bytes10m, &rec.Anchors[anchorBytes], tenBytes, s[stepBytes], 1)
	l.shift(&b.Records10m, &rec.Anchors[anchorRecords], tenRecords, s[stepRecords], 1)
	p := &l.entity.predictions
	l.shift(&rec.Bytes.Y, &rec.Bytes.Anchor, oneBytes, s[stepResponse], p.bytes.route.sigma)
	l.shift(&rec.Records.Y, &rec.Records.Anchor, oneRecords, records, p.records.route.sigma)
	l.moveTypical(s[stepResponse] / max(p.bytes.route.sigma, leastRouteSigma))
	*c = profile.Challenger{}
}

// multiply puts a count on another scale, in doublings.
func (l *look) multiply(m *window.Moments, anchor int, q quantity, by float64) {
	f := math.Exp2(by)
	target := max(finite(m.Mean, 0, 1e6), 1) * f
	if by == 0 {
		return
	}
	if !(m.Mean > 0) {
		m.M2 = 0
	}
	m.Mean, m.M2 = float32(target), float32(min(finite(m.M2, 0, 1e30)*f*f, 1e30))
	if anchor != anchorNone && l.rec.Anchors[anchor] != 0 {
		l.rec.Anchors[anchor] = m.Mean
	}
	l.raiseBy(q, by)
}

// shift puts a logarithm on another scale; unit is how many doublings one of its is.
func (l *look) shift(m *window.Moments, anchor *float32, q quantity, by, unit float64) {
	if by == 0 {
		return
	}
	m.Mean = float32(finite(m.Mean, -64, 64) + by/max(unit, leastRouteSigma))
	if *anchor != 0 {
		*anchor = m.Mean
	}
	l.raiseBy(q, by)
}

// raiseBy puts a precedent on another scale.
func (l *look) raiseBy(q quantity, by float64) {
	most := &l.rec.Rings.Precedents[q]
	*most = uint16(window.Encode(uint64(min(float64(window.Minifloat(*most).Decode())*math.Exp2(by), 1<<60))))
}

// announce tells of the baseline that was replaced just now.
func (s *Scorer) announce(l *look) Replacement {
	r := Replacement{Kind: l.kind, Key: l.rec.Key, Name: l.rec.Name.String(), By: l.by, Times: l.times}
	if s.replaced != nil {
		s.replaced(r)
	}
	return r
}
