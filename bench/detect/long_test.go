package detect

import (
	"testing"
)

// What takes days has as many as it is given, whatever the others have. A victim
// to which nothing could be done is none.
func TestLastingDays(t *testing.T) {
	cfg := small()
	cfg.Lasting, cfg.Scenarios = 4, []string{"slow_none"}
	worlds := newLasting(cfg)
	if len(worlds) != 1 {
		t.Fatalf("%d worlds of one scenario", len(worlds))
	}
	e := worlds[0]
	t.Cleanup(e.store.Close)
	quiet := newEngine(cfg, cfg.Days)
	t.Cleanup(quiet.store.Close)
	if longest([]*engine{quiet, e}) != e {
		t.Error("the others last longer")
	}
	if err := e.stream(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	last, skipped := 0.0, 0
	for _, n := range e.skipped {
		skipped += n
	}
	if got := len(e.trials) + skipped; got != len(e.longs) || len(e.trials) == 0 {
		t.Errorf("%d victims and %d who did nothing, of %d", len(e.trials), skipped, len(e.longs))
	}
	for i := range e.trials {
		if e.trials[i].requests == 0 {
			t.Errorf("victim %d did nothing", e.trials[i].victim)
		}
		if r := e.trials[i].long; !r.stopped {
			last = max(last, r.day)
		}
	}
	if last < 3 || last > 4 {
		t.Errorf("the last exchange of a victim after %.2f days, of 4", last)
	}
}

// There is an end to what can be taken, however long it grows.
func TestNothingGrowsWithoutEnd(t *testing.T) {
	looked := 0
	for _, s := range Scenarios() {
		if s.Over == nil || s.Family == informed {
			continue
		}
		looked++
		l := &Long{Spread: 1, Day: 60}
		c := Call{Bytes: 1, Records: 10}
		if s.Over(l)(&c); c.Bytes < 1 || c.Bytes > mostGrown || c.Records > 10*mostGrown {
			t.Errorf("%s after 60 days: %d bytes for one, %d records for 10", s.Name, c.Bytes, c.Records)
		}
	}
	if looked < 5 {
		t.Fatalf("only %d scenarios", looked)
	}
}
