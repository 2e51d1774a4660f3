package scoring

import (
	"testing"
	"time"
)

func TestSummary(t *testing.T) {
	f := func(want string, e Evidence) {
		t.Helper()
		if got := e.Summary(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if e.Attack() == "" || len(e.OWASP()) != len("API1:2023") {
			t.Errorf("%v: attack %q, OWASP %q", e.Detector, e.Attack(), e.OWASP())
		}
	}
	f("10,000 records in one response where 10 are usual (1,000x)",
		Evidence{Detector: Volume, Unit: "records", Observed: 10_000, Expected: 10})
	f("more than usual for a long time, though never much at once", Evidence{Detector: Slow, Observed: 500, Expected: 1})
	f("2 records in one response where 1 is usual", Evidence{Detector: Volume, Unit: "records", Observed: 2, Expected: 1})
	f("5.2 MB in 10 minutes where 120 kB are usual (43x)",
		Evidence{Detector: Volume, Unit: "bytes", Observed: 5_200_000, Expected: 120_000, Window: 10 * time.Minute})
	f("90 kB in one response where 40 kB are usual, and more than usual for hours",
		Evidence{Detector: Drift, Unit: "bytes", Observed: 90_000, Expected: 40_000, Window: driftWindow})
	f("240 requests in a minute where 12 are usual (20x)", Evidence{Detector: Rate, Observed: 240, Expected: 12, Window: time.Minute})
	f("3 requests in an hour where 0.3 are usual", Evidence{Detector: Rate, Observed: 3, Expected: 0.3, Window: time.Hour})
	f("touched 64 objects it had not touched before in 10 minutes, where 3 are usual",
		Evidence{Detector: NewObjects, Observed: 64, Expected: 3, Window: 10 * time.Minute})
	f("a device never seen with it (2 devices known)", Evidence{Detector: Device, Expected: 2})
	f("a network never seen with it (1 network known)", Evidence{Detector: Network, Expected: 1})
	f("a device that only 3 % of its visits come from", Evidence{Detector: Device, Observed: 0.03, Expected: 2})
	f("03:00 on a weekday, an hour at which it has never been active", Evidence{Detector: Hour, Unit: "hour of a weekday", Observed: 3})
	f("23:00 on a weekend, an hour at which it is hardly ever active", Evidence{Detector: Hour, Unit: "hour of a weekend", Observed: 23, Expected: 0.01})
	f("came with 6 other identities it was never seen with in 10 minutes", Evidence{Detector: Companion, Observed: 6, Window: 10 * time.Minute})
	f("17 errors in 10 minutes where 1 is usual (17x)", Evidence{Detector: Errors, Observed: 17, Expected: 1, Window: 10 * time.Minute})
	f("a country never seen with it (2 countries known)", Evidence{Detector: Country, Expected: 2})
	f("a method never seen with it (1 method known)", Evidence{Detector: Method, Expected: 1})
	f("a version of the API that only 2 % of its visits come from", Evidence{Detector: Version, Observed: 0.02, Expected: 3})
	f("its device and hour are both unlike it, at the same time", Evidence{Detector: Takeover, Unit: "device and hour", Observed: 2})
	f("its device, network and hour are all unlike it, at the same time", Evidence{Detector: Takeover, Unit: "device, network and hour", Observed: 3})
}

// Hours are the configured zone's, across the change to summer time.
func TestHoursFollowTheZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.scorer = New(Config{Store: w.store, Routes: w.routes, Location: berlin})
	c := full(1)
	for day := range 14 { // the clocks change on the 29th of March, in the middle
		for h := range 4 {
			w.now = time.Date(2026, 3, 22+day, 9+h, 30, 0, 0, berlin)
			for range 5 {
				w.do(c)
			}
		}
	}
	w.now = time.Date(2026, 4, 6, 10, 0, 0, 0, berlin)
	if e := find(w.do(c), Hour); e != nil {
		t.Errorf("ten o'clock is unusual: %s", e.Summary())
	}
	w.now = time.Date(2026, 4, 7, 22, 0, 0, 0, berlin)
	if e := find(w.do(c), Hour); e == nil || e.Observed != 22 {
		t.Errorf("22:00 is usual: %+v", e)
	}
}
