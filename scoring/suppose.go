package scoring

import (
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// Supposition is an exchange under judgement as it would have been judged had it
// been less: a smaller response, or a request that came when fewer like it had.
// It is made of a copy of all that the judgement was made of, and changes nothing
// of the exchange, its records or the calibration.
//
// Scores are monotone in what is counted, so that whoever asks for the most that
// would have passed searches for it.
type Supposition struct {
	// Exchange is the one to ask about, with its Assessment, once Response, Earlier
	// or Without has said what is supposed. It shares bytes with the original.
	Exchange Exchange

	scorer  *Scorer
	found   findings // of the original, so far
	scratch scratch
	failing [entityKinds]failing // of the original, as walk and precedents are the scratch's
	records [entityKinds]profile.Record
	known   [entityKinds]bool
}

// Detectors that speak about a response's size, and those that count requests.
const (
	ofSize     = 1<<Volume | 1<<Bulk | 1<<Drift
	ofRequests = 1<<Rate | 1<<NewObjects | 1<<Errors
)

// Suppose makes one of an exchange that is between Begin and Complete; nil for
// another.
func (s *Scorer) Suppose(ex *Exchange) *Supposition {
	if ex.scratch == nil || !ex.scratch.open {
		return nil
	}
	p := &Supposition{Exchange: *ex, scorer: s, found: ex.scratch.findings, scratch: *ex.scratch}
	p.Exchange.scratch = &p.scratch
	for k := range p.scratch.entities {
		e := &p.scratch.entities[k]
		p.failing[k] = e.failing
		if e.handle == (profile.Handle{}) {
			continue
		}
		if rec, pin, ok := s.store.FindHandle(e.handle); ok {
			p.records[k], p.known[k] = *rec, int(rec.Kind) == k
			pin.Release()
		}
	}
	return p
}

// Response supposes a response of this size; -1 is not known.
func (p *Supposition) Response(bytes, records int64) {
	p.withdraw(ofSize)
	p.assess()
	p.Exchange.ResponseBytes, p.Exchange.Records = bytes, records
	judgeVolume(&p.Exchange)
	p.assess()
}

// Earlier supposes that the latest n requests like this one had not come: none
// of them is counted, nor the new object or the error of each.
func (p *Supposition) Earlier(n uint32) {
	objects := p.found.ran(NewObjects)
	p.withdraw(ofRequests)
	if objects {
		p.scratch.findings.run(NewObjects)
	}
	for k := range p.known {
		if p.known[k] {
			p.recount(profile.Kind(k), n)
		}
	}
	p.assess()
}

func (p *Supposition) recount(kind profile.Kind, n uint32) {
	rec, e := p.records[kind], &p.scratch.entities[kind]
	l := p.scorer.look(&p.Exchange, &rec, kind)
	l.now = rec.LastSeen
	r, h := &rec.Rings, &rec.HabitRings
	window.Remove(r.Requests10s[:], tenSeconds, l.now, n)
	window.Remove(r.Requests1m[:], minute, l.now, n)
	window.Remove(r.Requests10m[:], tenMinutes, l.now, n)
	rate{}.judge(l)
	if e.newObject {
		window.Remove(h.New1m[:], minute, l.now, n)
		window.Remove(h.New10m[:], tenMinutes, l.now, n)
		newObjects{}.compare(l)
	}
	if f := p.failing[kind]; f.known && f.all > float64(n) {
		f.all, f.mistakes = f.all-float64(n), max(f.mistakes-float64(n), 0)
		f.find(&p.Exchange, kind)
	}
}

// Without supposes that these detectors had found nothing.
func (p *Supposition) Without(these ...Detector) {
	mask := uint32(0)
	for _, d := range these {
		mask |= 1 << d
	}
	p.withdraw(mask)
	for _, d := range these {
		if p.found.ran(d) {
			p.scratch.findings.run(d)
		}
	}
	p.assess()
}

// withdraw begins anew with what the original found, but for what these
// detectors did.
func (p *Supposition) withdraw(mask uint32) {
	p.scratch.findings = p.found
	p.scratch.findings.withdraw(mask)
	a := &p.Exchange.Assessment
	a.Score, a.Anomalous = 0, false
}

func (p *Supposition) assess() {
	p.scratch.findings.assess(&p.Exchange.Assessment, p.scorer.calibrator, &p.scratch.who)
}
