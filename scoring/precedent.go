package scoring

import (
	"math"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Precedents: what an identity has done before, and was ordinary then, does not
// alarm when it does it again. A batch that runs for twenty minutes a night is
// so rare a mode of its windows that no single-humped model expects it, and a
// learning weight that falls with the surprise would forget it night by night.
//
// For every quantity the record keeps the most that was learned while the model
// itself found it ordinary, or while the profile was not mature. What lies
// within a quarter of it is held to subdued: still evidence, no alarm. Only
// what the model finds ordinary raises a precedent, so nobody climbs by
// quarters; what comes near to one renews it. On a day that does not renew it
// it fades by 3 %: a weekly batch is remembered, a monthly one is not.
//
// The model never finds ordinary what a caller of two modes has come to do once it
// was known: a nightly job beside its heartbeats, of which the first night was
// late. So in the first week of a caller what is odd as on another day before, an
// alarm or not, raises precedents as well, if nobody else can have come. Later it
// does not: who has the time would be odd for some days, and then take what it likes.
//
// Ordinary is a wide word: where sizes vary by one and a half doublings, thirty
// times the middle is one in a thousand. So after the first week a volume's
// precedent is raised once a day, by a quarter of a doubling and no more: what was
// the far end of the usual once does not become its middle by being repeated.
//
// Beyond a precedent the surprise leaps to twice that at most, and grows no faster
// than records are broken (steepness). A batch's does not leap: a job of an hour
// among a day of heartbeats has two modes, and to a model of one each night is a
// miracle. Its peers could tell, but miracles that happen every night are what
// their table would be made of, and a theft no rarer.
const (
	precedentMargin = 1.25
	precedentFade   = 0.97
	precedentClimb  = 1.19 // a day, of a volume
)

// quantity is one thing that is counted or measured of an identity.
type quantity uint8

const (
	requests1m quantity = iota
	requests10m
	requests1h
	new10m
	new1h
	oneBytes
	oneRecords
	tenBytes
	tenRecords
	quantities int = iota
)

// ten is the quantity of ten minutes that belongs to a response's.
func (q quantity) ten() quantity { return q + tenBytes - oneBytes }

// precedents are an entity's, copied from its record at Begin, with what this
// exchange came to.
type precedents struct {
	most    [quantities]window.Minifloat
	came    [quantities]float64 // 0 where it may set no precedent
	batch   bool                // its cohort's, of two modes
	free    bool                // what is odd may set one, too
	renewed uint16              // a bit for each quantity that came near its precedent, and odd
}

// renewals is the place in Record.Rings.Precedents that holds the bits of the
// quantities renewed since the last day that was learned, those of the volumes
// raised since, the bit that something was odd since, and the bit that on a day
// before something was.
const (
	renewals  = quantities
	raised    = 1 << quantities // of oneBytes; the others' follow
	odd       = 1 << 14
	oddBefore = 1 << 15
)

func (p *precedents) read(rec *profile.Record, now uint32) {
	p.came, p.renewed, p.batch = [quantities]float64{}, 0, cohortOf(rec) == CohortBatch
	p.free = free(rec, now)
	for q := range p.most {
		p.most[q] = window.Minifloat(rec.Rings.Precedents[q])
	}
}

// free: what is odd may set precedents as well.
func free(rec *profile.Record, now uint32) bool {
	return !mature(rec, now) || now-rec.Created < firstRuns || recurs(rec, now)
}

// recurs: it is in its first week, and was as odd on another day.
func recurs(rec *profile.Record, now uint32) bool {
	return firstWeek(rec, now) && rec.Rings.Precedents[renewals]&oddBefore != 0 && habitual(rec.Kind) && rec.Habits().Behaviour.Novel == 0
}

func firstWeek(rec *profile.Record, now uint32) bool {
	return now-min(rec.Created, now) < 7*aDay
}

// within is up to where a quantity surprises by no more than limit bits because of
// its precedent.
func (p *precedents) within(q quantity, limit float64) float64 {
	if steepness[q] == 0 {
		return p.limit(q)
	}
	return p.limit(q) * window.Exp2(max(limit-p.beyond(), 0)/steepness[q])
}

// beyond is how far the surprise may leap where a precedent ends: for a batch,
// which has two modes, not at all.
func (p *precedents) beyond() float64 {
	if p.batch {
		return subdued
	}
	return 2 * subdued
}

// steepness is how many bits of surprise a doubling beyond its precedent adds to
// a quantity at most: what is counted has a lighter tail than what is measured,
// and one response, which is held against its route, has one mode only.
var steepness = [quantities]float64{
	requests1m: 2 * tailIndex, requests10m: 2 * tailIndex, requests1h: 2 * tailIndex,
	new10m: 2 * tailIndex, new1h: 2 * tailIndex,
	tenBytes: tailIndex, tenRecords: tailIndex,
}

// limit is up to where a quantity has a precedent.
func (p *precedents) limit(q quantity) float64 {
	return precedentMargin * float64(p.most[q].Decode())
}

// hold returns the surprise of v, held back where there is a precedent. It is
// monotone in v.
func (p *precedents) hold(q quantity, v, bits float64) float64 {
	p.came[q] = 0
	p.renewed &^= 1 << q
	if q < tenBytes && (bits < subdued || p.free) { // a sum counts when its ten minutes are over
		p.came[q] = v
	}
	if limit := p.limit(q); v > limit {
		if bits >= 2*subdued { // another mode, and not what happens to anybody in a week
			p.renewed |= odd
		}
		if limit > 0 && steepness[q] > 0 {
			bits = min(bits, p.beyond()+steepness[q]*window.Log2(v/limit))
		}
		return bits
	}
	if v*precedentMargin >= float64(p.most[q].Decode()) {
		p.renewed |= 1 << q
	}
	return min(bits, subdued)
}

// setPrecedents is called with every lesson.
func (l *look) setPrecedents() {
	for q, v := range l.entity.precedents.came {
		if v > 0 {
			l.raise(quantity(q), v)
		}
	}
	l.rec.Rings.Precedents[renewals] |= l.entity.precedents.renewed
}

// raise makes v a precedent, as far as it may climb in a day.
func (l *look) raise(q quantity, v float64) {
	most, today := &l.rec.Rings.Precedents[q], &l.rec.Rings.Precedents[renewals]
	if was := float64(window.Minifloat(*most).Decode()); q >= oneBytes && was > 0 && v > was && !firstWeek(l.rec, l.now) {
		bit := uint16(raised) << (q - oneBytes)
		if *today&bit != 0 {
			return
		}
		*today |= bit
		v = min(v, precedentClimb*was)
	}
	*most = max(*most, uint16(window.Encode(uint64(v))))
}

// fadePrecedents lets days pass, the first of which may have renewed some.
func (l *look) fadePrecedents(days int) {
	most := &l.rec.Rings.Precedents
	for q := range quantities {
		n := days
		if most[renewals]>>q&1 == 1 {
			n--
		}
		v := float64(window.Minifloat(most[q]).Decode()) * math.Pow(precedentFade, float64(n))
		most[q] = uint16(window.Encode(uint64(v)))
	}
	before := most[renewals] & (odd | oddBefore)
	if most[renewals] = 0; before != 0 {
		most[renewals] = oddBefore
	}
}
