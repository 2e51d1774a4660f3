package policy

import "fmt"

// Mode says whether verdicts are carried out.
type Mode uint8

// The modes. The zero Mode is the one that cannot hurt.
const (
	Shadow  Mode = iota // compute and record, change nothing for the client
	Enforce             // carry it out
)

var modeNames = [...]string{"shadow", "enforce"}

// String is the mode's name in configuration, metrics and reports.
func (m Mode) String() string { return name(modeNames[:], uint8(m), "mode") }

// MarshalText implements encoding.TextMarshaler.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText accepts "shadow" and "enforce".
func (m *Mode) UnmarshalText(text []byte) error {
	i, err := parse(modeNames[:], text, "mode", `"shadow" records what would have been done, "enforce" does it`)
	*m = Mode(i)
	return err
}

// FailMode says what happens to traffic when no decision can be had.
type FailMode uint8

// The fail modes.
const (
	FailOpen   FailMode = iota // let it pass
	FailClosed                 // refuse it with 503
)

var failNames = [...]string{"open", "closed"}

// String is the fail mode's name in configuration and reports.
func (f FailMode) String() string { return name(failNames[:], uint8(f), "fail mode") }

// MarshalText implements encoding.TextMarshaler.
func (f FailMode) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText accepts "open" and "closed".
func (f *FailMode) UnmarshalText(text []byte) error {
	i, err := parse(failNames[:], text, "fail mode", `"open" lets traffic pass when no decision can be had, "closed" refuses it`)
	*f = FailMode(i)
	return err
}

func name(names []string, i uint8, what string) string {
	if int(i) < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s(%d)", what, i)
}

// parse leaves the zero value with the error: the milder one of both enums.
func parse(names []string, text []byte, what, allowed string) (uint8, error) {
	for i, n := range names {
		if n == string(text) {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("unknown %s %q: %s", what, text, allowed)
}
