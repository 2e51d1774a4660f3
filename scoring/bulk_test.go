package scoring

import (
	"testing"
	"time"
)

// atNine is a world whose only customer has worked for six days and comes to work.
func atNine(t testing.TB) (*world, call) {
	w, acme := newWorld(t), &customer{name: "acme"}
	w.days(6, acme)
	w.now = w.now.Add(9 * time.Hour)
	c := acme.base()
	c.path = "/v1/orders?limit=10"
	return w, c
}

// again plays a call n times, with a pause before each, and returns the last.
func (w *world) again(n int, pause time.Duration, c call) (last *Exchange) {
	for range n {
		w.now = w.now.Add(pause)
		last = w.do(c)
	}
	return last
}

// One large response is told as that, many that are larger than usual as what they
// come to, and many ordinary ones as many.
func TestVolumeAndBulk(t *testing.T) {
	lists := func(n int, records int64) *Exchange {
		w, list := atNine(t)
		list.records, list.bytes = records, 190*records
		return w.again(n, time.Second, list)
	}
	one := lists(1, 10_000)
	if e := find(one, Volume); e == nil || e.Observed < 10_000 || e.Window != 0 {
		t.Errorf("one response: %+v", e)
	}
	if e := find(one, Bulk); e != nil {
		t.Errorf("one response is told as ten minutes' volume: %s", e.Summary())
	}
	if e := find(lists(60, 90), Bulk); e == nil || e.Observed < 5000 || e.Window != 10*time.Minute || e.Score < 2 {
		t.Errorf("larger responses: %+v", e)
	}
	ordinary := lists(600, 10)
	if e := find(ordinary, Rate); e == nil || e.Score < certain {
		t.Errorf("many responses: %+v", e)
	}
	if e := find(ordinary, Bulk); e != nil {
		t.Errorf("many ordinary responses are told by their volume: %s", e.Summary())
	}
}

// A client that tries again without end while the upstream fails is evidence of
// one in a thousand; one that makes mistakes without end is more.
func TestUpstreamsErrorsAreBounded(t *testing.T) {
	raw := func(status int) float64 {
		w, ask := atNine(t)
		ask.status = status
		return w.again(200, 300*time.Millisecond, ask).scratch.findings.surprises.Raw[Errors]
	}
	if s := raw(503); s > subdued || s < subdued/2 {
		t.Errorf("200 answers of 503: %.1f bits", s)
	}
	if s := raw(404); s < 2*subdued {
		t.Errorf("200 answers of 404: %.1f bits", s)
	}
}

// Among peers a take-over is ranked by all that is new at once, by the model
// alone only by the rarest in full.
func TestTakeoverRanksByAll(t *testing.T) {
	w, thief := atNine(t)
	thief.device, thief.network = "thief", "elsewhere"
	s := &w.do(thief).scratch.findings.surprises
	if apart := s.Raw[Device] + s.Raw[Network]; s.Raw[Takeover] < apart-0.1 || s.Held[Takeover] >= s.Raw[Takeover] {
		t.Errorf("device %.1f, network %.1f, together %.1f, held %.1f", s.Raw[Device], s.Raw[Network], s.Raw[Takeover], s.Held[Takeover])
	}
}
