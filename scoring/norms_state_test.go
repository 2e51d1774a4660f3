package scoring

import (
	"encoding/binary"
	"testing"

	"github.com/zeebo/xxh3"
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
	f := func(reason string, change func(b []byte) []byte) {
		t.Helper()
		fresh := New(Config{Store: w.store})
		empty := string(fresh.Norms())
		if bad, ok := fresh.SetNorms(change([]byte(string(was)))).(*unfit); !ok || bad.Reason() != reason {
			t.Errorf("%v, want one that is %s", bad, reason)
		}
		if string(fresh.Norms()) != empty {
			t.Error("something was taken up")
		}
	}
	resum := func(b []byte) []byte {
		b = b[:len(b)-8]
		return binary.LittleEndian.AppendUint64(b, xxh3.Hash(b))
	}
	f("torn", func(b []byte) []byte { return nil })
	f("torn", func(b []byte) []byte { return b[:len(b)-1] })
	f("torn", func(b []byte) []byte { b[500] ^= 1; return b })
	f("torn", func(b []byte) []byte { return resum(append(b, 0)) })
	f("torn", func(b []byte) []byte { // a number that is none
		for i := len(b) - 8 - 4; i < len(b)-8; i++ {
			b[i] = 0xFF
		}
		return resum(b)
	})
	f("version", func(b []byte) []byte { b[8] = 9; return b })
	f("foreign", func(b []byte) []byte { b[0] = 'W'; return b })
	f("foreign", func([]byte) []byte { return []byte("PK\x03\x04 a zip of somebody's") })
}
