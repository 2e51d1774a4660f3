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
// well, and in the answer that says that there is none. Routes that a release
// brings are answered well, and count for nothing: not even for the first who
// asks. For a crowd, what the upstream refuses (401, 403) counts as well.
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
	if !l.ex.scratch.route.known {
		l.find(t.evidence(l.ex))
	}
}

func (recon) learn(*look, float64) {}

// evidence is about the routes tried in ten minutes, this one included.
func (t *trying) evidence(ex *Exchange) Evidence {
	t.routes.Add(uint64(ex.Route.ID))
	e := Evidence{Detector: Recon, Unit: "routes", Observed: t.routes.Estimate(), Window: 10 * time.Minute}
	e.Bits, e.Expected = t.prior.bits(e.Observed, &t.usual, 0)
	return e
}

// judgeTry asks about an answer that is an error, for one entity.
func (e *entity) judgeTry(ex *Exchange, kind profile.Kind) {
	if e.trying.known && inVain(ex.Status, kind) {
		f := e.trying.evidence(ex)
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
		l.rec.Tried.Routes.Add(uint64(l.ex.Route.ID))
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
