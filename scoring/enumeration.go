package scoring

import (
	"math"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// enumeration: it goes through the ids of objects, as does who has found that the
// API asks nobody whose they are (BOLA). Two signs:
//
//	neighbours  of the objects that are new to it, those whose id lies within 2
//	            of the one before on the same route
//	foreign     of the objects that anybody has touched, those that only others
//	            have
//
// Both are a share of ten minutes' objects, k of n. What is expected is m, its
// own share and its route's, whichever is larger; and what varies from one ten
// minutes to the next, an evening of leafing through invoices, is Beta-distributed
// about it:
//
//	LR = B(k+1, n-k+1) / (B(k+cm, n-k+c(1-m)) / B(cm, c(1-m)))
//
// is how much likelier k of n are where any share is as likely as any other.
// E[LR] = 1 under the model, so log2 LR is a surprise.
//
// On a route whose objects are everybody's, a catalogue, foreign says nothing and
// is not asked. Its own objects again, however long ago, are no neighbours.
type enumeration struct{}

const (
	walkTogether = 6.0  // c: as if m were known from so many objects of these ten minutes
	walkPrior    = 8.0  // objects that the route's share is worth
	routeObjects = 4.0  // and the prior of that
	nearPrior    = 0.25 // of neighbours on a route that nobody knows
	foreignPrior = 0.5
	foreignKnown = 30  // objects that a route must have seen
	foreignMost  = 0.2 // share from which a route's objects are everybody's
	walkAtOnce   = 8.0 // objects of ten minutes that are learned at the most
	nearest      = 2
)

// walk is what the exchange's object is for one entity.
type walk struct{ near, nearAsked, foreign, foreignAsked bool }

func (enumeration) judge(l *look) {
	if l.ex.Route.Object == 0 {
		return
	}
	w := l.walk()
	l.entity.walk = w
	if l.entity.newObject && !l.entity.foreign {
		l.remember()
	}
	if !w.nearAsked && !w.foreignAsked {
		return
	}
	h, all := &l.habits.Walk, &l.ex.scratch.route
	best := Evidence{Detector: Enumeration, Unit: "neighbours", Bits: ordinary, Window: 10 * time.Minute}
	known := h.Adjacent.Novelty().N
	if w.near {
		k, n := h.AdjacentNow.With(true)
		best.Observed, best.Expected = k, n*expectedShare(h.Adjacent, &all.adjacent, nearPrior)
		best.Bits = walkBits(k, n, best.Expected/n)
	}
	if w.foreign {
		k, n := h.ForeignNow.With(true)
		m := expectedShare(h.Foreign, &all.foreign, foreignPrior)
		if bits := walkBits(k, n, m); bits > best.Bits {
			best.Unit, best.Bits, best.Observed, best.Expected = "objects of others", bits, k, n*m
			known = h.Foreign.Novelty().N
		}
	}
	if known < shrinkage { // what it usually does is not known; what others do is no measure of a job that reads everything
		l.findSubdued(best)
		return
	}
	l.find(best)
}

// walk says what there is to ask about the object.
func (l *look) walk() (w walk) {
	route, sc := &l.ex.Route, l.ex.scratch
	if i := l.walked(); l.entity.newObject && route.Number != 0 && i < len(l.habits.Numbers) {
		away := int32(uint32(route.Number) - l.habits.Numbers[i])
		w.nearAsked = true
		w.near = -nearest <= away && away <= nearest && away != 0 && sc.touched != profile.Oneself
	}
	all := &sc.route.foreign
	w.foreignAsked = sc.touched != profile.Nobody && all.N >= foreignKnown && all.New <= foreignMost*all.N
	w.foreign = w.foreignAsked && sc.touched == profile.Others
	return w
}

// walked is the route's place among those whose last number is kept; as many as
// there are, if it is none of them.
func (l *look) walked() int {
	id, routes := endpointID(l.ex), &l.habits.Walk.Routes
	for i := range routes {
		if routes[i] == id {
			return i
		}
	}
	return len(routes)
}

// remember keeps the number, of the last routes that had one, the latest first.
// It is done at the request, or who asks for many at once would go through them
// in the order of the answers.
func (l *look) remember() {
	if l.ex.Route.Number == 0 {
		return
	}
	h := l.habits
	i := min(l.walked(), len(h.Numbers)-1)
	copy(h.Numbers[1:i+1], h.Numbers[:i])
	copy(h.Walk.Routes[1:i+1], h.Walk.Routes[:i])
	h.Numbers[0], h.Walk.Routes[0] = uint32(l.ex.Route.Number), endpointID(l.ex)
}

// countWalk counts the object, with every answer that the upstream gave to one it believed.
func (l *look) countWalk() {
	w, h := l.entity.walk, &l.habits.Walk
	if w.nearAsked {
		h.AdjacentNow.Add(w.near)
	}
	if w.foreignAsked {
		h.ForeignNow.Add(w.foreign)
	}
}

// closeWalk takes the objects of ten minutes that are over into what is usual.
func (l *look) closeWalk() {
	w := &l.habits.Walk
	take := func(usual *window.SmallNovelty, now *profile.Trials) {
		if now.N > 0 && l.rec.Flags&taintedTen == 0 {
			u, n := usual.Novelty(), min(float64(now.N), walkAtOnce)
			u.Decay(decay10m)
			u.N += float32(n)
			u.New += float32(n * min(float64(now.K)/float64(now.N), 1))
			*usual = u.Small()
		}
		*now = profile.Trials{}
	}
	take(&w.Adjacent, &w.AdjacentNow)
	take(&w.Foreign, &w.ForeignNow)
}

func (enumeration) learn(*look, float64) {}

// expectedShare is the larger of the route's share and of the identity's own,
// drawn towards the route's.
func expectedShare(own window.SmallNovelty, route *window.Novelty, prior float64) float64 {
	n := finite(route.N, 0, 1e6)
	all := (min(finite(route.New, 0, 1e6), n) + routeObjects*prior) / (n + routeObjects)
	u := own.Novelty()
	return max(all, u.Ratio(all, walkPrior))
}

// walkBits is log2 LR for k of n where a share of m is expected.
func walkBits(k, n, m float64) float64 {
	m = min(max(m, 1e-4), 1-1e-4)
	if !(k > n*m) {
		return ordinary
	}
	a, b := walkTogether*m, walkTogether*(1-m)
	lr := lnBeta(k+1, n-k+1) - lnBeta(k+a, n-k+b) + lnBeta(a, b)
	return max(ordinary, lr*math.Log2E)
}

func lnBeta(a, b float64) float64 {
	x, _ := math.Lgamma(a)
	y, _ := math.Lgamma(b)
	z, _ := math.Lgamma(a + b)
	return x + y - z
}

// learnWalk takes the object into the route's population, of whoever is asking
// by name; teaches says whether it does, where so many objects are known.
func learnWalk(p *profile.Population, ex *Exchange, teaches func(n float32) bool) {
	learn := func(of *window.Novelty, new bool) {
		if teaches(of.N) {
			of.Decay(decayResponse)
			of.Observe(new, 1)
		}
	}
	for k := range ex.scratch.entities {
		e := &ex.scratch.entities[k]
		if e.handle == (profile.Handle{}) {
			continue
		}
		if ex.scratch.touched != profile.Nobody {
			learn(&p.Foreign, ex.scratch.touched == profile.Others)
		}
		if e.walk.nearAsked {
			learn(&p.Adjacent, e.walk.near)
		}
		return
	}
}
