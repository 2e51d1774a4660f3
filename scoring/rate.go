package scoring

import (
	"time"

	"github.com/wonted-project/wonted/scoring/window"
)

// rate: more requests in a minute, ten minutes or an hour than is usual. The
// rings count a request when it comes, so a burst is seen while all of it is
// still in flight.
type rate struct{}

func (rate) judge(l *look) {
	b, r, c := &l.rec.Baseline, &l.rec.Rings, l.cohort
	best := Evidence{Detector: Rate, Unit: "requests", Bits: ordinary}
	consider := func(k float64, p *countPrior, m *window.Moments, anchor int, q quantity, w time.Duration) {
		s, expected := p.bits(k, m, l.anchor(anchor))
		if s = l.entity.precedents.hold(q, k, s); s > best.Bits {
			best.Bits, best.Observed, best.Expected, best.Window = s, k, expected, w
		}
	}
	// The next finer ring is the sliding window of its own length.
	consider(window.Sum(r.Requests10s[:]), &c.requests1m, &b.Requests1m, anchor1m, requests1m, time.Minute)
	consider(window.Sum(r.Requests1m[:]), &c.requests10m, &b.Requests10m, anchor10m, requests10m, 10*time.Minute)
	consider(window.Sum(r.Requests10m[:]), &c.requests1h, &b.Requests1h, anchor1h, requests1h, time.Hour)
	l.find(best)
}

// learn: baselines learn when a bucket closes, see clock.go.
func (rate) learn(*look, float64) {}
