package window

import (
	"math"
	"testing"
)

func TestPeakFadesOnlyByDaysThatWereWatched(t *testing.T) {
	var p Peak
	ten := Log2(1 + 10)
	p.Observe(ten, 100)
	p.Observe(1, 100)
	if p.Most != float32(ten) || p.N != 2 {
		t.Fatalf("%+v", p)
	}
	// A year later it stands, and one observation takes a seventh.
	p.Observe(1, 465)
	if want := ten - peakFade; math.Abs(float64(p.Most)-want) > 1e-6 {
		t.Errorf("a year without observations: %v, want %v", p.Most, want)
	}
	days := 1
	for ; p.Most > 1 && days < 100; days++ {
		for range 1000 { // however many a day
			p.Observe(1, uint16(465+days))
		}
	}
	if days != 18 {
		t.Errorf("ten records stood for %d days", days)
	}
	for range 1 << 17 {
		p.Observe(0, 0)
	}
	if p.N != 1<<16-1 || p.Most > 1 {
		t.Errorf("%+v", p)
	}
}
