package scoring

import (
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// recon: it tries many different routes in vain, as does whoever looks for what
// there is. A client that is broken repeats itself: a thousand times the same
// route is one route, and a matter of errors; forty guesses are forty.
//
// It speaks where a request goes to a route on which nobody was ever answered
// well, in the answer that says that there is none, and, as errors do, on the
// requests that follow: who has guessed one goes on. Routes that a release
// brings are answered well, and count for nothing: not even for the first who
// asks. For a crowd, what the upstream refuses (401, 403) counts as well.
//
// Few guesses among many ordinary requests are no number. But nobody's way leads
// through a route that is not there, and so an order unlike its own that does is
// told here as well as by sequence; how rare that is, peers say of each apart.
type recon struct{}

// trying is what an entity has tried in vain, as it stood at Begin.
type trying struct {
	known  bool // the record was there
	routes window.Linear
	usual  window.Moments
	prior  *countPrior
}

func (recon) judge(l *look) {
	t := &l.entity.trying
	*t = trying{known: true, routes: l.rec.Tried.Routes, usual: l.rec.Tried.Usual.Moments(), prior: &l.cohort.tried10m}
	switch tried := t.routes.Estimate(); {
	case !l.ex.scratch.route.known:
		t.routes.Add(uint64(endpointID(l.ex)))
		l.find(t.evidence())
	case tried >= severalTried:
		l.find(t.evidence())
	}
}

func (recon) learn(*look, float64) {}

// severalTried are so many that one is not one's own mistake.
const severalTried = 3

// evidence is about the routes tried in ten minutes.
func (t *trying) evidence() Evidence {
	e := Evidence{Detector: Recon, Unit: "routes", Observed: t.routes.Estimate(), Window: 10 * time.Minute}
	e.Bits, e.Expected = t.prior.bits(e.Observed, &t.usual, 0)
	return e
}

// strayed is about an order unlike its own, of so many bits, in which a request
// comes from that route: whether it leads through one that was tried in vain, or
// comes with several. Who looks what there is, and then goes on as usual, has left
// its way for that.
func (t *trying) strayed(from uint16, bits float64) (Evidence, bool) {
	tried := t.routes.Estimate()
	e := Evidence{Detector: Recon, Unit: "steps", Bits: bits, Observed: tried, Window: 10 * time.Minute}
	return e, t.routes.Has(uint64(from)) || tried >= severalTried
}

// judgeTry asks about an answer that is an error, for one entity.
func (e *entity) judgeTry(ex *Exchange, kind profile.Kind) {
	if e.trying.known && inVain(ex.Status, kind) {
		e.trying.routes.Add(uint64(endpointID(ex)))
		f := e.trying.evidence()
		f.Entity = kind
		f.raw = min(f.Bits, e.failing.ceiling)
		if f.held = f.raw; e.failing.held {
			f.held = min(f.held, subdued)
		}
		ex.scratch.findings.add(f)
	}
}

// countTry remembers a route that was tried in vain, at the exchange's end.
func (l *look) countTry() {
	if inVain(l.ex.Status, l.kind) {
		l.rec.Tried.Routes.Add(uint64(endpointID(l.ex)))
	}
}

// closeTried takes the routes of ten minutes that are over into what is usual.
func (l *look) closeTried(active bool) {
	t := &l.rec.Tried
	if active {
		l.closeCount(t.Routes.Estimate(), &t.Usual, &l.cohort.tried10m)
	}
	t.Routes = window.Linear{}
}

// inVain: there is no such thing, as far as the upstream tells this kind.
func inVain(status int, kind profile.Kind) bool {
	return isMistake(status) && !(isRefusal(status) && habitual(kind))
}
