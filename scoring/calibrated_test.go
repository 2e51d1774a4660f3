package scoring

import (
	"fmt"
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/profile"
)

// peered is a world of customers whose scores are calibrated.
func peered(t testing.TB, n, days int) (*world, *calibrate.Peers, []*customer) {
	w := newWorld(t)
	w.country = "de"
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

// No detector allocates, whatever it finds, with peers to ask: neither of the
// ordinary nor of what is as odd as can be.
func TestCalibratedScoringAllocatesNothing(t *testing.T) {
	w, _, all := peered(t, 20, 12)
	partner := keyOf(profile.KindCaller, "partner")
	paths := func(format string) (all [][]byte) {
		for i := range 64 {
			all = append(all, fmt.Appendf(nil, format, 5000+i))
		}
		return all
	}
	var ran uint32
	now, i := w.now, 0
	f := func(what string, c, other call, paths [][]byte, pause time.Duration) {
		t.Helper()
		ex, turns := &Exchange{}, [2]Exchange{}
		c.fill(ex, now)
		other.fill(&turns[1], now)
		turns[0].Entities = ex.Entities
		signIn := SignIn{}
		if c.user != "" {
			signIn = SignIn{User: keyOf(profile.KindUser, c.user), Success: Statuses{100, 399}}
		}
		n := testing.AllocsPerRun(500, func() {
			i++
			now = now.Add(pause)
			ex.Time, ex.Path, ex.Companion, ex.SignIn = now, paths[i%len(paths)], partner, signIn
			ex.Entities = turns[i%2].Entities
			ex.Status, ex.ResponseBytes, ex.Records = 0, -1, -1
			w.scorer.Begin(ex)
			w.scorer.Attempt(ex)
			ex.Status = c.status
			w.scorer.Answer(ex, now)
			ex.ResponseBytes, ex.Records = c.bytes, c.records
			w.scorer.Meter(ex, now)
			w.scorer.Complete(ex, Answered, now)
			ran |= ex.scratch.findings.surprises.Ran
		})
		if n != 0 {
			t.Errorf("%s: %v allocations an exchange", what, n)
		}
		if ex.scratch.findings.sum == 0 {
			t.Errorf("%s: not judged among peers", what)
		}
	}
	w.do(call{caller: "somebody", path: "/v1/export"}) // the name of a route that is not known is one allocation
	w.do(call{caller: "somebody", path: "/v1/login", method: "POST"})
	usual := all[0].base()
	usual.session, usual.country, usual.status, usual.bytes, usual.records = "a session", "de", 200, 1900, 10
	lists := paths("/v1/orders?limit=10&x=%d")
	f("a list", usual, usual, lists, 47*time.Second)
	usual.bytes, usual.records = 200, 1
	f("an order", usual, usual, paths("/v1/orders/%d"), 47*time.Second)
	f("another mix", usual, usual, [][]byte{[]byte("/v1/export")}, 47*time.Second)
	odd := usual
	odd.device, odd.network, odd.country = "another", "elsewhere", "nz"
	f("a replay", usual, odd, lists, 10*time.Second)
	odd.bytes, odd.records = 1<<30, 1<<20
	f("a dump", odd, odd, lists, time.Second)
	odd.status = 404
	f("a scan", odd, odd, lists, time.Second)
	odd.user, odd.method, odd.status = "victim", "POST", 401
	f("a sign-in", odd, odd, [][]byte{[]byte("/v1/login")}, time.Second)
	for d := range Detectors {
		if ran>>d&1 == 0 {
			t.Errorf("%s has not run", Detector(d))
		}
	}
}

// An exchange from request to end where there are peers: ordinary, and one about
// which most detectors find something.
func BenchmarkCalibrated(b *testing.B) {
	w, _, all := peered(b, 20, 12)
	now := w.now
	f := func(name string, c call) {
		ex := &Exchange{}
		c.path = "/v1/orders?limit=10"
		c.fill(ex, now)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(20 * time.Second)
				w.round(ex, now)
			}
		})
	}
	f("ordinary", all[0].base())
	odd := all[1].base()
	odd.device, odd.network, odd.country, odd.companion = "another", "elsewhere", "nz", "partner"
	f("odd", odd)
}
