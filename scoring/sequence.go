package scoring

import (
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// sequence: it goes through the routes in an order unlike its own, as does a
// program that walks an API it has only read about, or who comes to the checkout
// without a cart.
//
// The question is, having come to a route, from where. With c steps of n from
// there, the population's share behind them, and G the share that the route
// before has in all that the identity does,
//
//	P_all = (C + 4 G)/(N + 4)    P = (c + 2 P_all)/(n + 2)
//
// a step is G/P times likelier of somebody who goes in any order than of this
// identity. Their product since it was last as likely as not,
//
//	W = max(0, W + log2 G/P)
//
// is the surprise: E[G/P] <= 1 if P is right, so W exceeds s with a chance of no
// more than 2^-s at any step (Lundberg's inequality). Where neither the identity
// nor anybody else has been, P is G, and the order of a release's new routes
// says nothing.
//
// Repeating a route is a step where hardly anybody does, as who tries one card
// after the other comes to the checkout from the checkout; elsewhere it is none, and
// how often is for rate. The first request of a session follows on nothing, nor does
// the next after an answer that says to try again.
type sequence struct{}

const (
	stepsOfAll  = 2.0    // that the population's share is worth
	stepsOfAny  = 4.0    // that the share in all is worth
	stepMost    = 6.0    // bits that one step may bring: who never left the path may do so once
	againMost   = 3.0    // and a repetition: a form is sent twice, a page asked for again
	orderMost   = 30.0   // bits: an owner is believed again a dozen steps after a thief
	orderUnit   = 1024.0 // of Habits.Order, a bit
	otherRoutes = 32.0   // half of G is spread over so many routes, known or not
	seldom      = 0.05   // share of everybody's steps to a route, up to which a repetition is one
)

func (sequence) judge(l *look) {
	from := l.cameFrom()
	if !l.mature || !l.isStep(from) {
		return
	}
	l.ex.scratch.findings.run(Sequence)
	if gain := l.gain(from); gain > 0 {
		bits := max(ordinary, l.order(gain))
		l.find(Evidence{Detector: Sequence, Unit: "steps", Bits: bits, Observed: 1})
		if e, strayed := l.entity.trying.strayed(from, bits); strayed && from != endpointID(l.ex) {
			l.find(e)
		}
	}
}

// cameFrom is the route before this one; 0: there is none.
func (l *look) cameFrom() uint16 {
	if l.now-min(l.habits.LastAccepted, l.now) >= sessionGap {
		return 0
	}
	return l.habits.Last
}

// isStep says whether a request that comes from there is a step.
func (l *look) isStep(from uint16) bool {
	return from != 0 && (from != endpointID(l.ex) || l.ex.scratch.route.before(from) <= seldom*l.ex.scratch.route.steps)
}

// gain is log2 G/P of the step from there, in bits.
func (l *look) gain(from uint16) float64 {
	h, all := l.habits, &l.ex.scratch.route
	slots := window.SmallSlots(h.Endpoints[:])
	count, to := 0.0, 0.0
	if b, known := slots.Place(endpointID(l.ex)); known {
		if a, known := slots.Place(from); known {
			count, to = h.Steps.Count(a, b)
		} else {
			to = h.Steps.To(b)
		}
	}
	if h.Order == 0 && count > 0 && 2*count >= to {
		return 0 // as ever, and nothing to take it off from
	}
	g := (l.share(from) + 1/otherRoutes) / 2
	steps, most := all.steps, stepMost
	if itself := endpointID(l.ex); from == itself {
		most = againMost
		count = max(count-1, 0) // once is no habit
	} else {
		steps -= all.before(itself)
	}
	pAll := (all.before(from) + stepsOfAny*g) / (steps + stepsOfAny)
	p := (count + stepsOfAll*pAll) / (to + stepsOfAll)
	return min(window.Log2(g/p), most)
}

// order is W after so many bits more.
func (l *look) order(bits float64) float64 {
	return min(max(float64(l.habits.Order)/orderUnit+bits, 0), orderMost)
}

// step is taken with every answer that the upstream gave to one it believed.
func (l *look) step() {
	h, from := l.habits, l.cameFrom()
	l.entity.from = from
	switch {
	case l.now-min(h.LastAccepted, l.now) >= sessionGap:
		h.Order = 0
	case l.mature && l.isStep(from):
		h.Order = uint16(l.order(l.gain(from)) * orderUnit)
	}
	if from == endpointID(l.ex) && h.Order > stepMost*orderUnit {
		l.entity.from = 0 // of a run that is odd only the first is learned: it would become usual while it lasts
	}
	h.Last = endpointID(l.ex)
	if isError(l.ex.Status) && !isMistake(l.ex.Status) {
		h.Last = 0
	}
}

func (sequence) learn(l *look, weight float64) {
	slots := window.SmallSlots(l.habits.Endpoints[:])
	from := l.entity.from
	if weight >= 0.5 && l.isStep(from) {
		a, left := slots.Place(from)
		if b, come := slots.Place(endpointID(l.ex)); left && come {
			l.habits.Steps.Add(a, b)
		}
	}
}

// stepsKept is how many steps to a route are remembered of everybody's: there
// all are halved.
const stepsKept = 2000

// learnStep takes the step of whoever is asking into the route's population, if
// it teaches. A repetition always does: it comes right after one's own request, and
// so where few ask it is seldom another's turn.
func learnStep(p *profile.Population, ex *Exchange, teaches bool) {
	for k := range ex.scratch.entities {
		from := ex.scratch.entities[k].from
		if from == 0 {
			continue
		}
		if !teaches && from != endpointID(ex) {
			return
		}
		slots := window.SmallSlots(p.Before[:])
		if !(p.BeforeN >= 0 && p.BeforeN < stepsKept) {
			slots.Decay(0.5)
			p.BeforeN = float32(finite(p.BeforeN, 0, stepsKept)) / 2
		}
		slots.Touch(from, 1)
		p.BeforeN++
		return
	}
}
