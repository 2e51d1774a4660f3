package demo

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// latency is how long the same requests took on two ways, in milliseconds.
type latency struct {
	Requests int     `json:"requests"` // on each way
	BareP50  float64 `json:"bare_p50_ms"`
	BareP99  float64 `json:"bare_p99_ms"`
	WithP50  float64 `json:"with_p50_ms"`
	WithP99  float64 `json:"with_p99_ms"`
	AddedP50 float64 `json:"added_p50_ms"`
	AddedP99 float64 `json:"added_p99_ms"`
}

// latencyRequests on each way: enough for a 99th percentile, and together with
// the last scene within what the fleets that send them usually send.
const latencyRequests = 1000

// quantile of sorted durations: the smallest that at least q of them do not
// exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, min(len(sorted)-1, int(q*float64(len(sorted))+0.999999)-1))]
}

func newLatency(bare, with []time.Duration) latency {
	slices.Sort(bare)
	slices.Sort(with)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b50, b99, w50, w99 := quantile(bare, 0.5), quantile(bare, 0.99), quantile(with, 0.5), quantile(with, 0.99)
	return latency{
		Requests: len(with),
		BareP50:  ms(b50), BareP99: ms(b99),
		WithP50: ms(w50), WithP99: ms(w99),
		AddedP50: ms(w50 - b50), AddedP99: ms(w99 - b99),
	}
}

func (l latency) String() string {
	return fmt.Sprintf("%+.2f ms at p50 (%.2f → %.2f), %+.2f ms at p99 (%.2f → %.2f)",
		l.AddedP50, l.BareP50, l.WithP50, l.AddedP99, l.BareP99, l.WithP99)
}

// cost measures what wonted adds: one request after the other, the two ways in
// turn, so that whatever else the machine does falls on both.
func (t *telling) cost(ctx context.Context) error {
	s := &scene{Name: "latency", Title: "What it costs"}
	t.scene(4, s.Title, "mode: enforce")
	fleets := t.fleets()
	bare, bareDone := t.sending(ctx, t.stage.bare.URL())
	defer bareDone()
	with, withDone := t.sending(ctx, t.stage.guarded.URL())
	defer withDone()

	var bareTook, withTook []time.Duration
	var last outcome
	for i := range latencyRequests {
		v := fleets[i%len(fleets)]
		e := event{time.Now(), v, v.by(v.status(), 1)}
		if i%2 == 0 { // neither way always runs on what the other has warmed
			last = bare(e.request)
		}
		o := with(e.request)
		if i%2 == 1 {
			last = bare(e.request)
		}
		t.others.add(e, o)
		if !o.fine() || !last.fine() {
			s.expect(false, "every measured request was answered", "bare %+v, with wonted %+v", last, o)
			break
		}
		bareTook, withTook = append(bareTook, last.Took), append(withTook, o.Took)
	}
	t.board.Added = newLatency(bareTook, withTook)
	t.saw(fmt.Sprintf("%s requests each way, in turn", number(t.board.Added.Requests)), t.board.Added.String(), "")
	s.Observed = t.board.Added
	s.expect(t.board.Added.Requests == latencyRequests, "all requests were measured", "%d", t.board.Added.Requests)
	return t.close(ctx, s)
}

// fleets are the customers whose bursts of the same calls are nothing new.
func (t *telling) fleets() []*visitor {
	return slices.DeleteFunc(slices.Clone(t.past.visitors), func(v *visitor) bool { return v.Habit != fleet })
}
