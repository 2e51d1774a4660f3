package detect

import "testing"

// What takes days has as many as it is given, whatever the others have.
func TestLastingDays(t *testing.T) {
	cfg := small()
	cfg.Lasting, cfg.Scenarios = 4, []string{"slow_none"}
	worlds := newLasting(cfg)
	if len(worlds) != 1 {
		t.Fatalf("%d worlds of one scenario", len(worlds))
	}
	e := worlds[0]
	t.Cleanup(e.store.Close)
	if err := e.stream(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	last := 0.0
	for i := range e.trials {
		if r := e.trials[i].long; !r.stopped {
			last = max(last, r.day)
		}
	}
	if last < 3 || last > 4 {
		t.Errorf("the last exchange of a victim after %.2f days, of 4", last)
	}
}
