package bench

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func text(t *testing.T, r *Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := r.Text(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTextFitsATerminal(t *testing.T) {
	for name, r := range map[string]*Report{"whole": synthetic(), "broken": broken(), "empty": {Version: reportVersion}} {
		for i, line := range strings.Split(text(t, r), "\n") {
			if n := utf8.RuneCountInString(line); n > columns {
				t.Errorf("%s: line %d has %d columns: %s", name, i+1, n, line)
			}
		}
	}
}

func TestTextSaysWhatThereIs(t *testing.T) {
	got := text(t, synthetic())
	f := func(want string) {
		t.Helper()
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
	f(`(?m)^wonted bench load --plan full$`)
	f(`2 cores, 8\.0 GiB`)
	f(`(?m)^c16: 16 in flight, closed loop, 1,000 callers, http/1\.1; 5 rounds$`)
	f(`(?m)^rate1000: 1,000/s due, open loop`)
	f(`(?m)^bare +1\d,\d{3} +\S+% +– +– +\d\d\.\d +– +– +0\.\d+`)
	f(`(?m)^wonted-headers +profiles, remembered +0\.4\d 0\.4\d–0\.4\d 1\.2\d 1\.\d\d–1\.\d\d`)
	f(`(?m)^wonted-bodies +bodies, profiles, remembered `)
	f(`(?m)^opa +evaluated +2\.\d+ .* –    –$`)
	f(`(?m)^ +to noop-bodies$`)
	f(`(?m)^ +to noop\n +CPU +p99 +MiB`)
	f(`(?m)^snapshot of 1000000 callers +3\.00 6\.10  3\.00 2\.\d+ to 4\.\d+$`)
	f(`(?m)^   bare answered \d+,\d+ × 200, 85 × 404$`)
	f(`Targets: \d+ of 35 met`)
	if strings.Contains(got, "!!") {
		t.Errorf("a run without failures complains:\n%s", got)
	}
	for _, bad := range []string{"NaN", "Inf", "%!"} {
		if strings.Contains(got, bad) {
			t.Errorf("%s in:\n%s", bad, got)
		}
	}
}

func TestTextSaysWhatFailedFirst(t *testing.T) {
	r := broken()
	r.Failures = append(r.Failures, "a log with \x1b[31mred\x1b[0m\r in it")
	got := text(t, r)
	loud, table := strings.Index(got, "!! THIS RUN DOES NOT COUNT: 3 failures"), strings.Index(got, "c16:")
	if loud < 0 || table < loud {
		t.Errorf("failures at %d, the first table at %d:\n%s", loud, table, got)
	}
	for _, want := range []string{
		"!! Interrupted",
		"!! wonted-bodies: 4 requests without an answer: 3 × timeout, 1 × reset",
		"never came to it: 1 in flight, closed loop, 1 caller, http/2; 0 rounds\n!! nothing was measured",
		"!! <b>unheard of</b>: no request was answered",
		"!! a log with [31mred[0m in it",
		"~0.12", // two rounds of noop: no interval
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
	for _, bad := range []string{"NaN", "Inf", "\x1b", "\r"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q in:\n%s", bad, got)
		}
	}
}

func TestARateThatWasNotServed(t *testing.T) {
	r := synthetic()
	for i := range r.cell("rate1000").result("opa").Rounds {
		r.cell("rate1000").result("opa").Rounds[i].Requests = 1700
	}
	if got, want := text(t, r), "!! opa: served 850 of the 1,000/s that were due"; !strings.Contains(got, want) {
		t.Errorf("%q is not in:\n%s", want, got)
	}
}

func TestJSONComesBack(t *testing.T) {
	want := broken()
	var out bytes.Buffer
	if err := want.JSON(&out); err != nil {
		t.Fatal(err)
	}
	var derived struct {
		Figures []struct {
			Cell     string
			Variants []struct {
				Variant Variant
				ToNoop  struct {
					CPU *struct{ Median, Low, High *float64 } `json:"processor_cpu"`
				} `json:"to_noop"`
			}
		}
		Targets []struct{ Met bool }
	}
	if err := json.Unmarshal(out.Bytes(), &derived); err != nil {
		t.Fatal(err)
	}
	c16 := derived.Figures[0]
	for _, v := range c16.Variants {
		cpu := v.ToNoop.CPU
		switch {
		case v.Variant.Name == Noop && cpu != nil:
			t.Errorf("noop has a ratio to itself")
		case v.Variant.Name != Noop && (cpu == nil || cpu.Low == nil || *cpu.Low > *cpu.Median || *cpu.High < *cpu.Median):
			t.Errorf("%s has no ratio to noop", v.Variant.Name)
		}
	}
	if len(c16.Variants) != 8 || len(derived.Targets) != 35 {
		t.Errorf("%d variants in %s and %d targets", len(c16.Variants), c16.Cell, len(derived.Targets))
	}
	got, err := ReadReport(&out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadReportRefuses(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, err := ReadReport(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	f(`{"version": 2}`, "a report of version 2; this program reads version 1")
	f(`{}`, "version 0")
	f(`not JSON`, "no report, or not the whole of one: invalid character")
	f(``, "EOF")
}

func TestFormats(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f(digits3(12345.6), "12,346")
	f(digits3(99.96), "100")
	f(digits3(9.996), "10.0")
	f(digits3(0.99996), "1.00")
	f(digits3(-0.0312), "-0.031")
	f(digits3(-1234), "-1,234")
	f(ratio(0.0421), "0.04")
	f(ratio(0.00421), "0.004")
	f(ratio(12.34), "12.3")
	f(thousands(1234567), "1,234,567")
	f(thousands(-123), "-123")
	f(thousands(-123456), "-123,456")
	f(percent(0.0123), "1.2%")
	f(percent(0.123), "12%")
	f(within(Estimate{1, 0.5, 2, 3}), "~1.00 0.50–2.00")
	f(within(Estimate{1, 0.95, 1.1, 3}), "1.00 0.95–1.10")
	f(within(sure(1, 2)), "~1.00")
	f(within(unknown), "–")
	f(swing(Estimate{10, 9, 12, 5}), "15%")
}
