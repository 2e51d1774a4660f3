package signin

import "sync/atomic"

// places are the routes that are known, with what is known of them as sign-in
// routes. A place is taken once and stays: the routes of a route.Table are
// bounded, and unknown ones, which clients can invent, get none.
type places [8192]place

// place is one route. What it counts it halves now and then, so that old answers
// count less; counts that race lose one at times, and no more.
type place struct {
	id       atomic.Uint32 // of the route; 0: free
	wordy    atomic.Bool   // its path says that it is one
	answers  atomic.Uint32
	refusals atomic.Uint32 // of them, 401 and 403
	looked   atomic.Uint32 // bodies
	without  atomic.Uint32 // of a sign-in's fields, since the last that had them
	had      atomic.Bool   // a body had them
	skipped  atomic.Uint32
}

const (
	samples      = 32  // bodies of a candidate that are looked at
	every        = 256 // afterwards
	everyRefused = 8   // while a route that is called like one refuses many
	forgetAfter  = 256 // bodies without the fields until a route is confirmed no more
	leastAnswers = 16
	refusedShare = 8 // one answer in that many
	reach        = 16
)

func (t *places) find(id uint32) *place {
	for i := range uint32(reach) {
		p := &t[(id+i)%uint32(len(t))]
		switch p.id.Load() {
		case 0:
			return nil
		case id:
			return p
		}
	}
	return nil
}

// add takes a place; nil where its neighbourhood is full.
func (t *places) add(id uint32, wordy bool) *place {
	for i := range uint32(reach) {
		p := &t[(id+i)%uint32(len(t))]
		if p.id.CompareAndSwap(0, id) {
			p.wordy.Store(wordy)
			return p
		}
		if p.id.Load() == id {
			return p
		}
	}
	return nil
}

// confirmed: bodies here have the fields of a sign-in.
func (p *place) confirmed() bool { return p != nil && p.had.Load() }

func (p *place) candidate() bool { return p.wordy.Load() || p.refuses() }

// refuses: many of its answers are 401 or 403.
func (p *place) refuses() bool {
	return p.answers.Load() >= leastAnswers && p.refusals.Load()*refusedShare >= p.answers.Load()
}

// sampled says whether a candidate's body is to be looked at.
func (p *place) sampled() bool {
	if p.looked.Load() < samples {
		return true
	}
	n := p.skipped.Add(1)
	return n%every == 0 || n%everyRefused == 0 && p.wordy.Load() && p.refuses()
}

// note tells of a body that was looked at.
func (p *place) note(attempt bool) {
	if p == nil {
		return
	}
	if attempt {
		p.without.Store(0)
		p.had.Store(true)
		return
	}
	p.looked.Store(min(p.looked.Load(), samples) + 1)
	if p.without.Add(1) == forgetAfter {
		p.had.Store(false)
	}
}

func (p *place) answered(refused bool) {
	if n := p.answers.Add(1); n >= 4*leastAnswers {
		p.answers.Store(n / 2)
		p.refusals.Store(p.refusals.Load() / 2)
	}
	if refused {
		p.refusals.Add(1)
	}
}
