package detect

import "testing"

// Names are a contract, and an attack's twin is there and benign.
func TestScenariosNameEachOther(t *testing.T) {
	all := map[string]Scenario{}
	for _, s := range Scenarios() {
		if _, twice := all[s.Name]; twice || s.Name == "" || s.Family == "" || s.About == "" {
			t.Errorf("%q: twice, or without a family or a description", s.Name)
		}
		if (s.Play == nil) == (s.Over == nil) {
			t.Errorf("%s: one of Play and Over", s.Name)
		}
		all[s.Name] = s
	}
	if len(all) < 40 {
		t.Fatalf("only %d scenarios", len(all))
	}
	held := map[string]bool{}
	for name, s := range all {
		if s.HeldOut {
			held[s.Family] = true
		}
		if s.Twin != "" && !all[s.Twin].Benign {
			t.Errorf("%s: there is no benign %q", name, s.Twin)
		}
	}
	if len(held) < 3 {
		t.Errorf("%d families are held out, want three", len(held))
	}
}
