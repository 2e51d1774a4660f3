package scoring

import (
	"testing"

	"github.com/wonted-project/wonted/scoring/profile"
)

// Any byte of a record is a cohort with a name.
func TestCohortOfAnyByte(t *testing.T) {
	for b := range 256 {
		rec := profile.Record{Header: profile.Header{Cohort: uint8(b)}}
		c := cohortOf(&rec)
		if int(c) >= Cohorts || c.String() == "" || c > CohortService {
			t.Errorf("%d is cohort %d %q", b, c, c)
		}
	}
}

// Who is new is told apart, and what is expected of it becomes its own.
func TestTrustGrows(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	ex := w.begin(acme.base())
	if a := &ex.Assessment; a.Peers != (Peers{CohortNew, Cold}) || a.Confidence != 0 || a.Cohort != "new" {
		t.Errorf("a stranger: %+v, confidence %v", a.Peers, a.Confidence)
	}
	last := 0.0
	for range 6 {
		w.days(1, acme)
		a := &w.begin(acme.base()).Assessment
		if a.Confidence < last || a.Confidence > 1 {
			t.Errorf("confidence %v after %v", a.Confidence, last)
		}
		last = a.Confidence
	}
	if last < 0.5 {
		t.Errorf("confidence %v after six days", last)
	}
	if ex := w.begin(call{path: "/"}); ex.Assessment.Cohort != "" {
		t.Errorf("nobody's cohort is %q", ex.Assessment.Cohort)
	}
}
