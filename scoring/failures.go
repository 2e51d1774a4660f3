package scoring

import (
	"net/http"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// failures: more of the requests of ten minutes fail than is usual, as those do
// of somebody who tries what there is: ids, routes, parameters.
//
// An error is known when the response is, so it speaks in the answer and on the
// requests that follow. Our own denials are no errors. What the upstream refused
// (401, 403) is none of the identity's, which a forger may have named, but it is
// one of the address, the network and the device that it came from; there,
// behind a NAT, it is evidence and alarms nobody.
type failures struct{}

// failing is what an entity has failed at, as it stood at Begin, so that the
// answer is judged without its record.
type failing struct {
	known         bool // the record was there
	all, mistakes float64
	history       window.Moments
	prior         *countPrior
	ceiling       float64 // bits, of a kind
	held          bool    // it may not alarm by the model alone
}

func (failures) judge(l *look) {
	f, r := &l.entity.failing, &l.rec.Rings
	*f = failing{
		known:    true,
		all:      window.Sliding(r.Errors10m[:], tenMinutes, l.now),
		mistakes: window.Sliding(r.Mistakes10m[:], tenMinutes, l.now),
		history:  l.rec.Baseline.Errors10m,
		prior:    &l.cohort.errors10m,
		ceiling:  l.cohort.ceiling,
	}
	f.held = l.habits == nil || !l.mature
	if f.all > 0 {
		f.find(l.ex, l.kind)
	}
}

// find asks twice, about the mistakes and about all errors. An upstream that is
// down fails everybody, and who then tries again without end makes hundreds, so
// all errors together are evidence of no more than one in a thousand. Both are
// held against the history of all.
func (f *failing) find(ex *Exchange, kind profile.Kind) {
	e := Evidence{Detector: Errors, Entity: kind, Unit: "errors", Observed: f.all, Window: 10 * time.Minute}
	e.raw, e.Expected = f.prior.bits(f.all, &f.history, 0)
	e.raw = min(e.raw, subdued)
	e.held = e.raw
	if s, _ := f.prior.bits(f.mistakes, &f.history, 0); s > e.held {
		e.held, e.Observed = s, f.mistakes
	}
	e.raw = min(max(e.raw, e.held), f.ceiling)
	if e.held = min(e.held, f.ceiling); f.held {
		e.held = min(e.held, subdued)
	}
	ex.scratch.findings.add(e)
}

// judgeFailure asks about the answer, once it is known to be an error.
func judgeFailure(ex *Exchange) {
	sc := ex.scratch
	if sc.failed || !isError(ex.Status) {
		return
	}
	sc.failed = true
	for k := range sc.entities {
		sc.entities[k].judgeTry(ex, profile.Kind(k))
		f := &sc.entities[k].failing
		if !f.known || isRefusal(ex.Status) && habitual(profile.Kind(k)) {
			continue
		}
		f.all++
		if isMistake(ex.Status) {
			f.mistakes++
		}
		f.find(ex, profile.Kind(k))
	}
}

// countFailure counts the upstream's answer at the exchange's end, if it is an
// error of this entity's.
func (l *look) countFailure() {
	status, r := l.ex.Status, &l.rec.Rings
	if !isError(status) || isRefusal(status) && l.habits != nil {
		return
	}
	window.Add(r.Errors10m[:], tenMinutes, l.now, 1)
	if isMistake(status) {
		window.Add(r.Mistakes10m[:], tenMinutes, l.now, 1)
	}
}

// learn: the baseline learns when a bucket closes, see clock.go.
func (failures) learn(*look, float64) {}

func isError(status int) bool { return status >= 400 }

// isRefusal: the upstream does not believe who asks, or that it may.
func isRefusal(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// isMistake: the client's own doing, and not what it may try again in good faith.
func isMistake(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return 400 <= status && status < 500
}
