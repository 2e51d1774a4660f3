package scoring

import (
	"testing"
	"time"
)

// One large response is told as that, many that are larger than usual as what they
// come to, and many ordinary ones as many.
func TestVolumeAndBulk(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(6, acme)
	w.now = w.now.Add(9 * time.Hour)
	list := acme.base()
	list.path, list.records, list.bytes = "/v1/orders?limit=10", 10_000, 1_900_000
	one := w.do(list)
	if e := find(one, Volume); e == nil || e.Observed < 10_000 || e.Window != 0 {
		t.Errorf("one response: %+v", e)
	}
	if e := find(one, Bulk); e != nil && e.Score > 0 {
		t.Errorf("one response is told as ten minutes' volume: %s", e.Summary())
	}

	many := func(n int, records int64) *Exchange {
		w := newWorld(t)
		w.days(6, acme)
		w.now = w.now.Add(9 * time.Hour)
		list.records, list.bytes = records, 190*records
		var last *Exchange
		for range n {
			w.now = w.now.Add(time.Second)
			last = w.do(list)
		}
		return last
	}
	larger := many(60, 90)
	if e := find(larger, Bulk); e == nil || e.Observed < 5000 || e.Window != 10*time.Minute || e.Score < 2 {
		t.Errorf("larger responses: %+v", e)
	}
	ordinary := many(600, 10)
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
		w := newWorld(t)
		acme := &customer{name: "acme"}
		w.days(5, acme)
		w.now = w.now.Add(9 * time.Hour)
		ask := acme.base()
		ask.status = status
		var last *Exchange
		for range 200 {
			w.now = w.now.Add(300 * time.Millisecond)
			last = w.do(ask)
		}
		return last.scratch.findings.surprises.Raw[Errors]
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
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(6, acme)
	w.now = w.now.Add(9 * time.Hour)
	thief := acme.base()
	thief.device, thief.network = "thief", "elsewhere"
	ex := w.do(thief)
	s := &ex.scratch.findings.surprises
	if apart := s.Raw[Device] + s.Raw[Network]; s.Raw[Takeover] < apart-0.1 || s.Held[Takeover] >= s.Raw[Takeover] {
		t.Errorf("device %.1f, network %.1f, together %.1f, held %.1f", s.Raw[Device], s.Raw[Network], s.Raw[Takeover], s.Held[Takeover])
	}
}
