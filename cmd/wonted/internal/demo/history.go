package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring/profile"
)

// How wonted is told who calls, in the history and live: by API key, with a
// load balancer in front of Envoy that writes X-Forwarded-For. That is also
// how callers from forty networks reach an Envoy on one loopback address.
var rules = identity.Config{{Kind: "caller", Header: "x-api-key", Name: "mask"}}

const trustedProxies = 1

// past is five days of all customers.
type past struct {
	line     *line
	visitors []*visitor
	events   int
	reports  []*policy.Report // what wonted, watching, found odd in them
	took     time.Duration
}

// reportList collects reports.
type reportList struct{ reports []*policy.Report }

func (l *reportList) Report(r *policy.Report) {
	kept := *r
	kept.Evidence = append([]policy.Finding(nil), r.Evidence...)
	l.reports = append(l.reports, &kept)
}

// playHistory plays the historyDays before now through the event-time path,
// in shadow mode as one would in life.
func playHistory(ctx context.Context, now time.Time, of []customer) (*past, error) {
	sink := &reportList{}
	line, err := newLine(secret, now.Location(), policy.Shadow, sink)
	if err != nil {
		return nil, fmt.Errorf("play the history: %w", err)
	}
	p := &past{line: line}
	var events []event
	for _, c := range of {
		v := newVisitor(c)
		p.visitors = append(p.visitors, v)
		events = append(events, v.days(now)...)
	}
	start := time.Now()
	for i, e := range inOrder(events) {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if o := line.do(e.request, e.At); !o.fine() {
			return nil, fmt.Errorf("play the history: %s %s: %+v", e.Who.Name, e.Path, o)
		}
	}
	p.events, p.reports, p.took = len(events), sink.reports, time.Since(start)
	return p, nil
}

// save writes the profiles where a wonted that is started with dir finds them.
func (p *past) save(dir string, now time.Time) error {
	return p.line.store.Save(dir, profile.Meta{KeyID: secret.ID(), Now: now})
}
