package scoring

import (
	"math"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Widths of the rings' buckets, in seconds.
const (
	tenSeconds = 10
	minute     = 60
	tenMinutes = 600
	anHour     = 3600
)

// Flags of a record. Tainted: its open bucket of that width holds something
// anomalous, so nothing of it may be learned. Named: it has its name.
const (
	taintedMinute = 1 << iota
	taintedTen
	taintedHour
	named
	tainted = taintedMinute | taintedTen | taintedHour
)

// seconds is a record's clock: seconds since the epoch in 32 bits.
func seconds(t time.Time) uint32 {
	return uint32(min(max(t.Unix(), 0), math.MaxUint32))
}

// roll advances the record to now, never back. The buckets that close on the
// way go into the baselines; every access rolls, so at most one bucket with
// activity closes of each width.
//
// The rings count requests as they come, so that a burst is seen in flight. A
// baseline may learn only what the upstream has accepted, so Complete counts
// that a second time (Open, and Rings.Hour), and that is what closes.
// A request that is refused, or whose end never comes, teaches nothing, even
// if it is held open until its bucket is long closed.
func (l *look) roll(now uint32) {
	rec, last := l.rec, l.rec.LastSeen
	now = max(now, last)
	l.now = now
	if now/tenSeconds == last/tenSeconds {
		rec.LastSeen = now
		return
	}
	if now/minute != last/minute {
		l.closeMinute()
	}
	if now/tenMinutes != last/tenMinutes {
		l.closeTen(last)
	}
	if now/anHour != last/anHour {
		l.closeHour(last)
	}
	r := &rec.Rings
	window.Advance(r.Requests10s[:], tenSeconds, last, now)
	window.Advance(r.Requests1m[:], minute, last, now)
	window.Advance(r.Requests10m[:], tenMinutes, last, now)
	window.Advance(r.Errors10m[:], tenMinutes, last, now)
	window.Advance(r.Mistakes10m[:], tenMinutes, last, now)
	if l.habits == nil && now/tenMinutes != last/tenMinutes {
		l.rollSignIns(last, now)
	}
	if l.habits != nil {
		h := &rec.HabitRings
		window.Advance(h.New1m[:], minute, last, now)
		window.Advance(h.New10m[:], tenMinutes, last, now)
		window.Advance(h.Bytes10m[:], tenMinutes, last, now)
		window.Advance(h.Records10m[:], tenMinutes, last, now)
		window.Advance(h.Companions10m[:], tenMinutes, last, now)
		window.Advance(h.Switches10m[:], tenMinutes, last, now)
		window.Advance(h.Returns10m[:], tenMinutes, last, now)
	}
	rec.LastSeen = now
}

func (l *look) closeMinute() {
	l.close(taintedMinute, float64(l.rec.Open[0]), &l.rec.Baseline.Requests1m, &l.cohort.requests1m, decay1m)
	l.rec.Open[0] = 0
	l.rec.Flags &^= taintedMinute
}

func (l *look) closeTen(last uint32) {
	rec, b, c := l.rec, &l.rec.Baseline, l.cohort
	active := rec.Open[1] > 0
	if l.habits == nil {
		l.closeSignIns(last)
	}
	l.close(taintedTen, float64(rec.Open[1]), &b.Requests10m, &c.requests10m, decay10m)
	if active {
		l.close(taintedTen, window.Current(rec.Rings.Errors10m[:], tenMinutes, last), &b.Errors10m, &c.errors10m, decay10m)
	}
	l.closeTried(active)
	l.closeRisk(last)
	if h := l.habits; h != nil {
		if active {
			l.close(taintedTen, float64(h.Open.New10m), &b.New10m, &c.new10m, decay10m)
			l.close(taintedTen, float64(h.Open.Companions10m), &b.Companions10m, &c.companions10m, decay10m)
			l.closeCount(window.Current(rec.HabitRings.Switches10m[:], tenMinutes, last), &rec.Contexts.Switches, &c.switches10m)
			l.closeCount(window.Current(rec.HabitRings.Returns10m[:], tenMinutes, last), &rec.Contexts.Returns, &c.returns10m)
			l.closeMix()
			l.closeWalk()
			l.closeVolume(last)
			l.closeTypical()
			if l.mature && rec.Flags&taintedTen != 0 {
				l.collect(last)
			} else if l.mature {
				l.ordinary(last)
			}
		}
		h.Open.New10m, h.Open.Companions10m = 0, 0
		h.Open.Typical, h.Typical.Open = 0, 0
	}
	rec.Open[1] = 0
	rec.Flags &^= taintedTen
}

func (l *look) closeHour(last uint32) {
	rec, b, c := l.rec, &l.rec.Baseline, l.cohort
	accepted := rec.Rings.Hour
	l.close(taintedHour, float64(accepted), &b.Requests1h, &c.requests1h, decay1h)
	if h := l.habits; h != nil {
		if accepted > 0 {
			l.close(taintedHour, float64(h.Open.New1h), &b.New1h, &c.new1h, decay1h)
			if rec.Flags&taintedHour == 0 {
				at := time.Unix(int64(last), 0).In(l.location)
				h.Hours.Decay(decayHours)
				h.Hours.Add(at.Hour(), weekend(at), 1)
				h.Behaviour.Hours = min(h.Behaviour.Hours, 254) + 1
			} else if l.mature {
				l.collectHour(float64(accepted))
			}
		}
		h.Open.New1h = 0
	}
	rec.Rings.Hour = 0
	rec.Flags &^= taintedHour
}

// close takes a bucket into its baseline: not at all where it is tainted, with
// the learning weight of its own surprise, and winsorised, so that one odd
// window moves nothing far. A profile that is not mature takes everything as it
// is: its first batch must be learned, or it would be odd every night.
//
// Buckets of requests without one are no activity and are not learned; other
// counts are asked for in active buckets only and learn their zeros.
func (l *look) close(taint uint8, k float64, m *window.Moments, p *countPrior, decay float64) {
	if l.rec.Flags&taint != 0 || k == 0 && (p == &l.cohort.requests1m || p == &l.cohort.requests10m || p == &l.cohort.requests1h) {
		return
	}
	weight := 1.0
	if l.mature {
		s, expected := p.bits(k, m, 0)
		weight = learningWeight(s * log10of2)
		if k > expected {
			k = min(k, expected+winsor*p.deviation(m))
		}
	}
	learnMoment(m, k, weight, decay)
}

// winsor is how many standard deviations one observation may lie from the mean
// in what is learned of it.
const winsor = 2.5

// learningWeight is min(1, p/0.01) for a score of -log10 p.
func learningWeight(score float64) float64 {
	if score <= 2 {
		return 1
	}
	return math.Pow(10, 2-score)
}

// learnMoment forgets in proportion to what it learns, and heals a record that
// holds no numbers.
func learnMoment(m *window.Moments, x, weight, decay float64) {
	if !(m.N >= 0 && m.N <= 1e6 && m.M2 >= 0 && m.M2 <= math.MaxFloat32 && math.Abs(float64(m.Mean)) <= math.MaxFloat32) {
		*m = window.Moments{}
	}
	m.Decay(1 - (1-decay)*weight)
	m.Add(x, weight)
}

func weekend(t time.Time) bool {
	d := t.Weekday()
	return d == time.Saturday || d == time.Sunday
}

// taint marks every open bucket as holding something anomalous.
func taint(rec *profile.Record) { rec.Flags |= tainted }
