package scoring

import (
	"testing"
	"time"
	_ "time/tzdata" // the machine may have none
)

// When clocks are changed whoever lives by them comes as ever, and a job that
// does not comes an hour earlier or later by the local clock from then on. Nobody
// becomes somebody else for that, neither then nor in the months in which the
// hours before and after weigh about the same.
func TestClockChangeChangesNobody(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	f := func(year int, month time.Month, day int) {
		changed := time.Date(year, month, day, 0, 0, 0, 0, berlin)
		if next := changed.AddDate(0, 0, 1).Sub(changed); next == 24*time.Hour {
			t.Fatalf("no clock is changed on %v", changed)
		}
		w := newWorld(t)
		w.scorer = New(Config{Store: w.store, Routes: w.routes, Location: berlin})
		want := map[string]Cohort{"office": CohortPerson, "nightly": CohortBatch, "four hours": CohortBatch, "poll": CohortPoller, "builds": CohortBursty}
		for at := changed.AddDate(0, 0, -40); at.Before(changed.AddDate(0, 0, 100)); at = at.AddDate(0, 0, 1) {
			local := func(hour, minute int) time.Time {
				return time.Date(at.Year(), at.Month(), at.Day(), hour, minute, 0, 0, berlin)
			}
			w.now = at
			if !weekend(at) {
				for h := 9; h < 17; h++ {
					if w.rng.IntN(4) > 0 {
						w.asks("office", local(h, w.rng.IntN(40)), 5+w.rng.IntN(20), 9*time.Second)
					}
				}
			}
			w.asks("nightly", local(2, 30), 280+w.rng.IntN(40), 5*time.Second) // an hour that is not there once, and twice another time
			for h := 22; h < 26; h++ {
				w.asks("four hours", time.Date(at.Year(), at.Month(), at.Day(), h, 10, 0, 0, time.UTC), 60+w.rng.IntN(20), 5*time.Second)
			}
			for next := at; next.Before(at.AddDate(0, 0, 1)); next = next.Add(7 * time.Minute) {
				w.asks("poll", next, 2, time.Second)
			}
			for range 3 + w.rng.IntN(4) {
				w.asks("builds", local(7+w.rng.IntN(12), w.rng.IntN(50)), 10<<w.rng.IntN(5), time.Second)
			}
			for name, c := range want {
				if got := w.class(name); at.After(changed.AddDate(0, 0, -10)) && got != c {
					t.Errorf("%s is %v on %s, want %v", name, got, at.Format(time.DateOnly), c)
					delete(want, name)
				}
			}
		}
	}
	f(2026, time.March, 29)
	f(2026, time.October, 25)
}
