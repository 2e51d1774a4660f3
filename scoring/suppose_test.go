package scoring

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/scoring/profile"
)

// What is supposed of a response is what is judged of one of that size.
func TestSupposedResponses(t *testing.T) {
	dump := func(w *world, c call, bytes, records int64) *Exchange {
		c.path = "/v1/orders?limit=10"
		ex := w.begin(c)
		ex.Status, ex.ResponseBytes, ex.Records = 200, bytes, records
		w.scorer.Answer(ex, w.now)
		return ex
	}
	w, c := office(t, "")
	large := dump(w, c, 2_000_000, 10_000)
	if !large.Assessment.Anomalous {
		t.Fatal("a dump is ordinary")
	}
	before := large.Assessment
	before.Evidence = append([]Evidence(nil), before.Evidence...)
	p := w.scorer.Suppose(large)
	passed, stopped := int64(0), int64(10_000)
	for stopped-passed > 1 {
		n := (passed + stopped) / 2
		if p.Response(200*n, n); p.Exchange.Assessment.Anomalous {
			stopped = n
		} else {
			passed = n
		}
	}
	if passed < 20 || passed > 5000 {
		t.Fatalf("%d records would have passed", passed)
	}
	w.scorer.Complete(large, Unknown, w.now)
	for _, n := range []int64{0, 1, 10, passed / 2, passed, passed + 1, 5000, 10_000} {
		w, c := office(t, "") // the same once more
		real := dump(w, c, 200*n, n)
		p.Response(200*n, n)
		a, b := &real.Assessment, &p.Exchange.Assessment
		if a.Score != b.Score || a.Anomalous != b.Anomalous || a.Threshold != b.Threshold || len(a.Evidence) != len(b.Evidence) {
			t.Errorf("%d records: really %.3f %v %d, supposed %.3f %v %d", n, a.Score, a.Anomalous, len(a.Evidence), b.Score, b.Anomalous, len(b.Evidence))
		}
		if a.Anomalous != (n > passed) {
			t.Errorf("%d records: anomalous %v, where %d pass", n, a.Anomalous, passed)
		}
	}
	before.Usual, before.Range = large.Assessment.Usual, large.Assessment.Range
	if d := cmp.Diff(before, large.Assessment, cmp.AllowUnexported(Evidence{})); d != "" {
		t.Errorf("the original has changed: %s", d)
	}
	if w.scorer.Suppose(large) != nil || w.scorer.Suppose(&Exchange{}) != nil {
		t.Error("something is supposed of what is not under judgement")
	}
}

// A burst: what is supposed of the time before its last requests is what was
// judged then.
func TestSupposedEarlier(t *testing.T) {
	f := func(what string, d Detector, path func(i int) string, status int) {
		t.Helper()
		w, c := office(t, "")
		var scores []float64
		first := -1
		for i := range 400 {
			c.path = path(i)
			ex := w.begin(c)
			if d != NewObjects || ex.scratch.entities[profile.KindCaller].newObject { // else it passes for one that was seen before
				scores = append(scores, ex.Assessment.Score)
			}
			if ex.Assessment.Anomalous && first < 0 {
				first = len(scores)
			}
			if first >= 0 && len(scores) == first+5 {
				e := find(ex, d)
				if e == nil {
					t.Fatalf("%s: no evidence of %v", what, d)
				}
				p := w.scorer.Suppose(ex)
				for n := uint32(0); n < 20; n++ {
					p.Earlier(n)
					a, was := &p.Exchange.Assessment, scores[len(scores)-1-int(n)]
					if diff := a.Score - was; diff > 0.02 || diff < -0.02 || a.Anomalous != (was >= a.Threshold) {
						t.Errorf("%s: %d requests earlier it was %.3f, and is supposed %.3f", what, n, was, a.Score)
					}
				}
				p.Without(d)
				if p.Exchange.Assessment.Score >= ex.Assessment.Score || find(&p.Exchange, d) != nil {
					t.Errorf("%s: without %v it is as odd", what, d)
				}
				return
			}
			ex.Status, ex.ResponseBytes, ex.Records = status, 200, 1
			w.scorer.Answer(ex, w.now)
			w.scorer.Complete(ex, Answered, w.now)
		}
		t.Errorf("%s: nothing was anomalous", what)
	}
	f("a burst", Rate, func(int) string { return "/v1/orders?limit=10" }, 200)
	f("a walk", NewObjects, func(i int) string { return fmt.Sprint("/v1/orders/", 77_000+97*i) }, 200)
	f("misses", Errors, func(i int) string { return "/v1/orders?limit=10" }, 404)
}

func BenchmarkSuppose(b *testing.B) {
	w := newWorld(b)
	acme := &customer{name: "acme"}
	w.days(7, acme)
	w.now = w.now.Add(10 * time.Hour)
	c := acme.base()
	c.path = "/v1/orders?limit=10"
	ex := w.begin(c)
	ex.Status, ex.ResponseBytes, ex.Records = 200, 2_000_000, 10_000
	w.scorer.Answer(ex, w.now)
	b.ReportAllocs()
	for b.Loop() {
		p := w.scorer.Suppose(ex)
		for n := int64(0); n < 16; n++ {
			p.Response(200*n, n)
		}
		p.Earlier(1)
	}
}
