package scoring

import (
	"errors"
	"testing"
)

// Norms outlive a restart to the bit, and what is not whole is refused.
func TestNormsComeBack(t *testing.T) {
	w := newWorld(t)
	w.live(10, map[string]habit{"a": hourly(5), "b": nightly, "c": officeDay})
	was := w.scorer.Norms()
	if again := w.scorer.Norms(); string(again) != string(was) {
		t.Error("they differ from one time to the next")
	}
	next := New(Config{Store: w.store})
	if err := next.SetNorms(was); err != nil {
		t.Fatal(err)
	}
	if string(next.Norms()) != string(was) || *next.norms.said.Load() != *w.scorer.norms.said.Load() {
		t.Error("they are not what they were")
	}
	f := func(change func(b []byte) []byte) {
		t.Helper()
		fresh := New(Config{Store: w.store})
		empty := string(fresh.Norms())
		if err := fresh.SetNorms(change([]byte(string(was)))); !errors.Is(err, ErrNorms) {
			t.Errorf("taken up: %v", err)
		}
		if string(fresh.Norms()) != empty {
			t.Error("something was taken up")
		}
	}
	f(func(b []byte) []byte { return nil })
	f(func(b []byte) []byte { return b[:len(b)-1] })
	f(func(b []byte) []byte { b[500] ^= 1; return b })
	f(func(b []byte) []byte { b[8] = 9; return b })
	f(func(b []byte) []byte { b[0] = 'W'; return b })
}
