package scoring

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wonted-project/wonted/scoring/calibrate"
	"github.com/wonted-project/wonted/scoring/profile"
	"github.com/wonted-project/wonted/scoring/window"
)

// alarmist finds everything anomalous.
type alarmist struct{ calibrate.Uncalibrated }

func (alarmist) Score(*calibrate.Who, *calibrate.Surprises) calibrate.Verdict {
	return calibrate.Verdict{Score: 12, Threshold: 4}
}

// A newcomer's first days are learned as they are, odd or not; of who is known
// nothing that alarms is.
func TestNewcomerLearnsWhatIsOdd(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(5, acme)
	w.now = w.now.Add(time.Hour)
	w.do(acme.base()) // closes the last windows
	w.scorer = New(Config{Store: w.store, Routes: w.routes, Calibrator: alarmist{}})
	before := w.record(profile.KindCaller, "acme")
	night := func(who string) {
		for range 30 {
			w.now = w.now.Add(time.Second)
			w.do(call{caller: who, device: who + " job", path: "/v1/orders?limit=100", records: 100, bytes: 20_000})
		}
		w.now = w.now.Add(time.Hour)
		w.do(call{caller: who, device: who + " job", path: "/v1/orders?limit=100", records: 100, bytes: 20_000}) // closes the windows
	}
	night("acme")
	night("brix")
	if rec := w.record(profile.KindCaller, "brix"); rec.Baseline.Requests10m.Mean != 30 || MostOf(&rec).Records != 100 || rec.Habits().Devices[0].Weight == 0 {
		t.Errorf("the newcomer: usual %+v, most %+v, devices %v", rec.Baseline.Requests10m, MostOf(&rec), rec.Habits().Devices)
	}
	after := w.record(profile.KindCaller, "acme")
	if after.Baseline.Requests10m != before.Baseline.Requests10m || after.Habits().Devices != before.Habits().Devices || MostOf(&after).Requests10m > MostOf(&before).Requests10m {
		t.Errorf("who is known: usual %+v, was %+v", after.Baseline.Requests10m, before.Baseline.Requests10m)
	}
}

// One large document is no dump, where its records are counted; where they are
// not, nobody knows.
func TestLargeDocumentIsNoDump(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(5, acme, &customer{name: "brix"})
	w.now = w.now.Add(10 * time.Hour)
	list := acme.base()
	list.path, list.records, list.bytes = "/v1/orders?limit=10", 10, 1_900_000
	document := w.do(list)
	if e := find(document, Volume); e == nil || e.Score > 3.2 || document.Assessment.Anomalous {
		t.Errorf("ten records of 190 kB each: %+v, score %.1f", e, document.Assessment.Score)
	}
	list.records = -1
	if ex := w.do(list); !ex.Assessment.Anomalous {
		t.Errorf("1.9 MB of what is not counted score %.1f", ex.Assessment.Score)
	}
	list.records = 10_000
	if ex := w.do(list); !ex.Assessment.Anomalous {
		t.Errorf("10,000 records score %.1f", ex.Assessment.Score)
	}
}

// A new network is new once: where it lasts it is held back, though what alarms
// is not learned, and after the old one has been seen again it is new again.
func TestNewPlaceSpeaksWhereTheContextChanges(t *testing.T) {
	w := newWorld(t)
	acme := &customer{name: "acme"}
	w.days(70, acme) // so that a new network is rarer than one in a thousand
	w.now = w.now.Add(11 * time.Hour)
	w.scorer = New(Config{Store: w.store, Routes: w.routes, Calibrator: alarmist{}})
	bits := func(network string) float64 {
		w.now = w.now.Add(time.Minute)
		c := acme.base()
		c.network, c.path, c.records, c.bytes = network, "/v1/orders?limit=10", 10, 1900
		return w.do(c).scratch.findings.surprises.Raw[Network]
	}
	away, again, home, back := bits("away"), bits("away"), bits("acme"), bits("away")
	if away <= subdued || again != subdued || home != ordinary || back != away {
		t.Errorf("away %.2f bits, still away %.2f, at home %.2f, away again %.2f", away, again, home, back)
	}
}

// Beyond a precedent the surprise is bounded, monotone, and what may leave is
// where it reaches the limit.
func TestBeyondAPrecedent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p precedents
		q := rapid.SampledFrom([]quantity{requests1m, requests10m, requests1h, new10m, new1h, tenBytes, tenRecords}).Draw(t, "quantity")
		p.batch = rapid.Bool().Draw(t, "batch")
		p.most[q] = window.Encode(rapid.Uint64Range(1, 1<<30).Draw(t, "most"))
		limit := p.limit(q)
		model := rapid.Float64Range(ordinary, 1000).Draw(t, "bits")
		last := 0.0
		for _, times := range []float64{0.5, 1, 1.01, 2, 6, 30, 1000} {
			bits := p.hold(q, times*limit, model)
			if bits < last || bits > model || times <= 1 && bits > subdued {
				t.Fatalf("%g times the precedent: %.2f bits after %.2f, of the model's %.2f", times, bits, last, model)
			}
			last = bits
		}
		threshold := rapid.Float64Range(subdued, 60).Draw(t, "threshold")
		if most := p.within(q, threshold); p.hold(q, 0.999*most, 1000) > threshold+0.01 {
			t.Fatalf("%.0f may leave and surprises by %.2f bits of %.2f", most, p.hold(q, 0.999*most, 1000), threshold)
		}
	})
	var p, batch precedents
	batch.batch = true
	p.most[requests10m], batch.most[requests10m] = window.Encode(100), window.Encode(100)
	if one, two := p.hold(requests10m, 150, 500), batch.hold(requests10m, 150, 500); one < 2*subdued || two > subdued+2 {
		t.Errorf("half as much again: %.1f bits, of a batch %.1f", one, two)
	}
}

// Who always lies a little above its peers does not win every bet; who begins to
// does.
func TestBetsAgainstOneself(t *testing.T) {
	l := &look{habits: &profile.Habits{}}
	for range 2000 {
		l.bet(1.5)
	}
	usual := l.habits.Evidence
	for range 20 {
		l.bet(3)
	}
	if raised := l.habits.Evidence; usual > 8 || raised < 100*usual {
		t.Errorf("W is %.1f as ever, and %.1f after twenty windows of twice that", usual, raised)
	}
	for range 500 {
		l.bet(0.5)
	}
	if w := l.habits.Evidence; w > 1 {
		t.Errorf("W is %.1f after days of less", w)
	}
}

// In its first week, what is odd for a caller sets a precedent on the second day
// of it, and from then on is no surprise. Of who is known for longer it is odd for ever.
func TestOddInTheFirstWeek(t *testing.T) {
	const run, surprise = 400, 3 * subdued
	for _, c := range []struct {
		first, days int
		quiet       bool
	}{{2, 1, false}, {2, 2, true}, {5, 2, true}, {6, 2, false}, {7, 30, false}} {
		rec := &profile.Record{}
		rec.Kind, rec.Accepted, rec.Sessions, rec.Created = profile.KindCaller, 1000, 100, 1
		l := look{rec: rec, entity: &entity{}}
		p := &l.entity.precedents
		for day := c.first; day < c.first+c.days; day++ {
			for k := 1; k <= run; k++ {
				p.read(rec, uint32(day)*aDay+aDay/2)
				p.hold(requests10m, float64(k), surprise)
				l.setPrecedents()
			}
			l.fadePrecedents(1)
		}
		if bits := p.hold(requests10m, run, surprise); bits <= subdued != c.quiet {
			t.Errorf("%d days from day %d on: %.1f bits", c.days, c.first, bits)
		}
	}
}

// After the first week a volume's precedent climbs by a quarter of a doubling a
// day, however often more than that was ordinary; before, and of requests, it takes
// what comes.
func TestPrecedentsClimbSlowly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := &profile.Record{}
		rec.Created = 1
		l := look{rec: rec}
		q := rapid.SampledFrom([]quantity{requests10m, oneBytes, oneRecords, tenBytes, tenRecords}).Draw(t, "quantity")
		day := rapid.Uint32Range(0, 30).Draw(t, "day")
		l.now = 2 + day*aDay
		l.raise(q, 1000)
		before := rec.Rings.Precedents[renewals]
		for range rapid.IntRange(1, 5).Draw(t, "times") {
			l.raise(q, 5000)
		}
		most := float64(window.Minifloat(rec.Rings.Precedents[q]).Decode())
		if slow := day >= 7 && q >= oneBytes; slow && (most < 1180 || most > 1191) || !slow && (most < 4990 || rec.Rings.Precedents[renewals] != before) {
			t.Fatalf("quantity %d on day %d: %.0f", q, day, most)
		}
		l.fadePrecedents(1)
		if rec.Rings.Precedents[renewals] != 0 {
			t.Fatalf("%016b on the next day", rec.Rings.Precedents[renewals])
		}
	})
}
