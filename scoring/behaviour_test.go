package scoring

import (
	"testing"
	"time"

	"github.com/wonted-project/wonted/scoring/profile"
)

// habit plays one day of somebody, from midnight.
type habit func(w *world, name string)

// poll asks twice every seven minutes, day and night.
func poll(w *world, name string) {
	for at := time.Duration(0); at < 24*time.Hour; at += 7 * time.Minute {
		w.asks(name, w.now.Add(at), 2, time.Second)
	}
}

// nightly asks some three hundred times from one o'clock on.
func nightly(w *world, name string) {
	w.asks(name, w.now.Add(time.Hour+5*time.Minute), 280+w.rng.IntN(40), 5*time.Second)
}

// build asks from forty to two hundred times in a minute or two, some times a day.
func build(w *world, name string) {
	for range 3 + w.rng.IntN(4) {
		at := time.Duration(7*60+w.rng.IntN(12*60)) * time.Minute
		w.asks(name, w.now.Add(at), 10<<w.rng.IntN(5), time.Second)
	}
}

// serve asks a few times an hour, from seven to twenty o'clock.
func serve(w *world, name string) {
	for h := 7; h < 20; h++ {
		for range 4 {
			w.asks(name, w.now.Add(time.Duration(h*60+w.rng.IntN(50))*time.Minute), 2<<w.rng.IntN(5), 2*time.Second)
		}
	}
}

// officeDay works from nine to five on weekdays.
func officeDay(w *world, name string) {
	if weekend(w.now) {
		return
	}
	for h := 9; h < 17; h++ {
		if w.rng.IntN(4) > 0 {
			w.asks(name, w.now.Add(time.Duration(h*60+w.rng.IntN(40))*time.Minute), 5+w.rng.IntN(20), 9*time.Second)
		}
	}
}

// asks plays n requests of one kind from at on.
func (w *world) asks(name string, at time.Time, n int, pause time.Duration) (last *Exchange) {
	midnight := w.now
	w.now = at
	for range n {
		last = w.do(call{caller: name, network: name, device: name, path: "/v1/orders?limit=10", records: 10, bytes: 1900})
		w.now = w.now.Add(pause)
	}
	w.now = midnight
	return last
}

// live plays n days of everybody.
func (w *world) live(n int, all map[string]habit) {
	for range n {
		for _, name := range sorted(all) {
			all[name](w, name)
		}
		w.now = w.now.Add(24 * time.Hour)
	}
}

func (w *world) class(name string) Cohort {
	rec := w.record(profile.KindCaller, name)
	return cohortOf(&rec)
}

// Everybody comes out as what they are, stays it, and the assessment says so.
func TestClassesAreFound(t *testing.T) {
	w := newWorld(t)
	all := map[string]habit{"poll": poll, "nightly": nightly, "build": build, "office": officeDay, "serve": serve}
	want := map[string]Cohort{"poll": CohortPoller, "nightly": CohortBatch, "build": CohortBursty, "office": CohortPerson, "serve": CohortService}
	w.live(3, all)
	for name := range all {
		if c := w.class(name); c != CohortNew && c != want[name] {
			t.Errorf("%s is %v after three days", name, c)
		}
	}
	w.live(25, all)
	for day := range 20 {
		w.live(1, all)
		for name, c := range want {
			if got := w.class(name); got != c {
				t.Errorf("%s is %v on day %d, want %v", name, got, day, c)
			}
		}
	}
	if a := w.begin(call{caller: "poll"}).Assessment; a.Cohort != "poller" || a.Peers != (Peers{CohortPoller, Mature}) {
		t.Errorf("%+v", a)
	}
}

// A class that is left for a few days, by holidays or by a clock that is
// changed, is kept; one that is left for good is not.
func TestClassHasHysteresis(t *testing.T) {
	w := newWorld(t)
	w.live(28, map[string]habit{"office": officeDay})
	late := func(w *world, name string) {
		w.now = w.now.Add(time.Hour)
		officeDay(w, name)
		w.now = w.now.Add(-time.Hour)
	}
	for range 14 {
		w.live(1, map[string]habit{"office": late})
		if c := w.class("office"); c != CohortPerson {
			t.Fatalf("an hour later it is %v", c)
		}
	}
	changes, last := 0, CohortPerson
	for day := range 60 {
		w.live(1, map[string]habit{"office": poll})
		if c := w.class("office"); c != last {
			t.Logf("%v from day %d", c, day)
			changes, last = changes+1, c
			if day < otherClassDays-1 {
				t.Errorf("it changed on day %d", day)
			}
		}
	}
	if last != CohortPoller || changes > 2 {
		t.Errorf("it is %v after %d changes", last, changes)
	}
}

// What flickers between two classes keeps the one it had.
func TestFlickerChangesNothing(t *testing.T) {
	rec := profile.Record{Header: profile.Header{Kind: profile.KindCaller, Cohort: uint8(CohortPerson)}}
	h := rec.Habits()
	for range 50 {
		for _, hours := range []int{2, 2, 2, 2, 9} { // a batch for four days, a person for one
			h.Hours.Cells[0], h.Hours.Scale = [24]uint8{}, 1
			for i := range hours {
				h.Hours.Cells[0][i] = 20
			}
			if behave(&rec); cohortOf(&rec) != CohortPerson {
				t.Fatalf("it became %v", cohortOf(&rec))
			}
		}
	}
}
