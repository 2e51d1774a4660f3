package scoring

import (
	"fmt"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/profile"
)

// peered is a world of customers whose scores are calibrated.
func peered(t *testing.T, n, days int) (*world, *calibrate.Peers, []*customer) {
	w := newWorld(t)
	peers := calibrate.New(Calibration(calibrate.Budget{PerIdentityDay: 0.001, PerDay: 50}))
	w.scorer = New(Config{Store: w.store, Routes: w.routes, Calibrator: peers})
	var all []*customer
	for i := range n {
		all = append(all, &customer{name: fmt.Sprint("customer ", i)})
	}
	w.days(days, all...)
	return w, peers, all
}

// Once there are tables a score is among peers, the threshold the budget's, a
// dump is far beyond it, and what bounds a response is where it would be.
func TestCalibrated(t *testing.T) {
	w, peers, all := peered(t, 20, 12)
	st := peers.Stats()
	t.Logf("%+v", st)
	if st.Learning || st.MeanE > 1.05 {
		t.Errorf("learning %v, mean e %.3f after twelve days", st.Learning, st.MeanE)
	}
	w.now = w.now.Add(10 * time.Hour)
	c := all[3].base()
	c.path, c.records, c.bytes = "/v1/orders?limit=10", 10, 1900
	ordinary := w.do(c)
	a := &ordinary.Assessment
	if a.Anomalous || a.Score > 2 || a.Usual.Records < 15 || a.Usual.Records > 1000 {
		t.Errorf("an ordinary list scores %.2f of %.2f, usual %+v", a.Score, a.Threshold, a.Usual)
	}
	c.records = a.Usual.Records
	c.bytes = 200 * c.records
	if ex := w.begin(c); true {
		ex.Status, ex.ResponseBytes, ex.Records = 200, 1900, a.Usual.Records
		w.scorer.Answer(ex, w.now)
		if ex.Assessment.Anomalous {
			t.Errorf("%d records are said to be usual, and score %.2f of %.2f", c.records, ex.Assessment.Score, ex.Assessment.Threshold)
		}
	}
	c.records, c.bytes = 10_000, 1_900_000
	dump := w.do(c)
	d := &dump.Assessment
	if !d.Anomalous || len(d.Evidence) == 0 || d.Evidence[0].Detector != Volume || d.Evidence[0].Share < 0.5 {
		t.Errorf("10,000 records score %.2f of %.2f: %+v", d.Score, d.Threshold, d.Evidence)
	}
	shares := map[Detector]float64{}
	for i := range d.Evidence {
		shares[d.Evidence[i].Detector] = d.Evidence[i].Share
	}
	sum := 0.0
	for _, s := range shares {
		sum += s
	}
	if sum > 1.001 {
		t.Errorf("shares are %v together", sum)
	}
	sound(t, dump)
}

// The bets are kept in the record, and bounded.
func TestSlowBets(t *testing.T) {
	w, _, all := peered(t, 10, 8)
	r := w.record(profile.KindCaller, all[0].name)
	if e := r.Habits().Evidence; !(e > 0) || e > 1000 {
		t.Errorf("after ordinary days W is %v", e)
	}
}

func TestCalibratedScoringAllocatesNothing(t *testing.T) {
	w, _, all := peered(t, 10, 8)
	ex := &Exchange{}
	c := all[0].base()
	c.path = "/v1/orders?limit=10"
	c.fill(ex, w.now)
	now := w.now
	n := testing.AllocsPerRun(2000, func() {
		now = now.Add(47 * time.Second)
		w.round(ex, now)
	})
	if n != 0 {
		t.Errorf("%v allocations an exchange", n)
	}
}
