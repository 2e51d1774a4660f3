package policy

import (
	"encoding"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	f := func(v encoding.TextUnmarshaler, text, want string) {
		t.Helper()
		err := v.UnmarshalText([]byte(text))
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
			if back, err := v.(encoding.TextMarshaler).MarshalText(); err != nil || string(back) != text {
				t.Errorf("%q came back as %q, %v", text, back, err)
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
	f(new(Mode), "shadow", "")
	f(new(Mode), "enforce", "")
	f(new(Mode), "Enforced", `unknown mode "Enforced": "shadow" records what would have been done, "enforce" does it`)
	f(new(FailMode), "open", "")
	f(new(FailMode), "closed", "")
	f(new(FailMode), "close", `unknown fail mode "close": "open" lets traffic pass`)
}

func TestNamesOfUnknownValues(t *testing.T) {
	for _, got := range []string{Mode(9).String(), FailMode(9).String(), Phase(9).String(), Action(9).String()} {
		if !strings.HasSuffix(got, "(9)") {
			t.Errorf("%q does not tell the value", got)
		}
	}
}

func TestZeroValuesAreSafe(t *testing.T) {
	if Mode(0) != Shadow || Action(0) != Undecided {
		t.Error("a zero Mode must not enforce, a zero Action must not allow")
	}
}
