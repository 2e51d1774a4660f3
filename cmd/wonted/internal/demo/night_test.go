package demo

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata"
)

// At every hour of a week some zone has a night that is not Saturday's, and
// the zone database agrees with what was computed.
func TestNightIsAlwaysFound(t *testing.T) {
	monday := time.Date(2026, 3, 2, 0, 14, 30, 0, time.UTC)
	for h := range 7 * 24 {
		now := monday.Add(time.Duration(h) * time.Hour)
		zone, name := night(now)
		local := now.In(zone)
		if !slices.Contains(nightHours[:], local.Hour()) || local.Weekday() == time.Saturday {
			t.Errorf("%s: %s is no night for the story", now, local)
		}
		loaded, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := now.In(loaded); got.Hour() != local.Hour() || got.Weekday() != local.Weekday() {
			t.Errorf("%s: %s in %s, %s computed", now, got, name, local)
		}
	}
}
