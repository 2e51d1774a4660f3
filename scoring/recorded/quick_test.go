package recorded

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wonted-project/wonted/scoring"
)

// FuzzQuick: what the quick reader reads, encoding/json reads the same.
func FuzzQuick(f *testing.F) {
	for _, line := range quickLines(f) {
		f.Add([]byte(line))
	}
	for _, line := range []string{
		`{"time":"2026-01-01T00:00:00.5+01:00","status":200,"status":404}`,
		`{"Time":"2026-01-01T00:00:00Z"}`, `{"v":01}`, `{"v":1e2}`, `{"v":-0,"duration_ms":-0.0}`, `{"duration_ms":1.}`,
		`{"host":"\ud800","path":"\u00e9","id":"\u007f\/\b"}`, "{\"host\":\"\xff\"}", "{\"host\":\"\t\"}", `{"host":null}`,
		`{"headers":{"a":["x"],"a":[]},"jwt":{"a":{"b":"}\\\""}},"metadata":{"n":{"k":[1,{}]}}}`, `{"headers":{"a":null}}`,
		`{"records":9223372036854775807,"request_bytes":-1}`, `{"records":1} x`, `{"records":1,}`, `{}`, `{"v" : 1 , "label" : "\"" }`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		got, ok := quickWonted(line)
		if !ok {
			return
		}
		want := new(Exchange)
		if err := json.Unmarshal(line, want); err != nil {
			t.Fatalf("it reads %s: %v", line, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -encoding/json +quick:\n%s", line, diff)
		}
	})
}

// quickLines are lines as this program writes them.
func quickLines(t testing.TB) []string {
	t.Helper()
	lines := []string{full}
	browser, err := os.Open("testdata/chromium.har")
	if err != nil {
		t.Fatal(err)
	}
	defer browser.Close()
	redact := NewRedactor([32]byte{1}, "x-api-key")
	for d := NewDecoder(browser, HAR); len(lines) < 9; {
		r, err := d.Next()
		if err != nil {
			t.Fatal(err)
		}
		var ex scoring.Exchange
		if err := r.Fill(&ex); err != nil {
			t.Fatal(err)
		}
		r.Answer(&ex)
		r.Body(&ex)
		lines = append(lines, string(redact.Append(nil, &ex, Rest{Declared: 5, End: r.End(), Vouched: []Vouched{{Path: "sub", Value: []byte("a")}, {Namespace: "n", Path: "k", Value: []byte("b")}}})))
	}
	return lines
}

// TestQuickReadsWhatIsWritten: no line of our own takes the slow way.
func TestQuickReadsWhatIsWritten(t *testing.T) {
	escapes := 0
	for _, line := range quickLines(t) {
		escapes += strings.Count(line, `\"`)
		got, ok := quickWonted([]byte(line))
		if !ok {
			t.Errorf("given up: %s", line)
			continue
		}
		want := new(Exchange)
		if err := json.Unmarshal([]byte(line), want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -encoding/json +quick:\n%s", line, diff)
		}
	}
	if escapes == 0 {
		t.Error("no line has an escape, so that little is tested")
	}
}
