package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wonted-project/wonted/policy"
)

// show presents a replay: each exchange that is not plainly allowed as it
// comes, and the end.
type show interface {
	exchange(*oddExchange) error
	differ(*difference) error // in its place, where two policies are compared
	end(*replaySummary, *tally) error
}

// oddExchange is what --output json prints for one exchange.
type oddExchange struct {
	*policy.Report
	Line int    `json:"line"`           // from 1
	File string `json:"file,omitempty"` // where there are several
}

func newShow(w io.Writer, output string, live bool) (show, error) {
	out := bufio.NewWriter(w)
	switch output {
	case "text":
		return &textShow{out, live}, nil
	case "json":
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		return &jsonShow{out, e}, nil
	}
	return nil, misuse("--output takes text or json", "--output %q is not known", output)
}

// jsonShow prints one object a line, flushed as it comes for whoever reads along.
type jsonShow struct {
	out  *bufio.Writer
	json *json.Encoder
}

func (s *jsonShow) exchange(o *oddExchange) error {
	return cmp.Or(s.json.Encode(o), s.out.Flush())
}

func (s *jsonShow) end(sum *replaySummary, _ *tally) error {
	return cmp.Or(s.json.Encode(map[string]*replaySummary{"summary": sum}), s.out.Flush())
}

// textShow tells at the end who stood out, the worst first, and why; live, a
// line for each exchange as it comes, too.
type textShow struct {
	out  *bufio.Writer
	live bool
}

const (
	shownOffenders = 10 // told of in full
	shownFindings  = 4  // of each
)

func (s *textShow) exchange(o *oddExchange) error {
	if !s.live {
		return nil
	}
	fmt.Fprintf(s.out, "%s %-9s %s %s, %s, score %.1f", o.Time.Format(stamp), o.Action, o.Kind, orNobody(o.Identity), o.Route, o.Score)
	switch {
	case len(o.Evidence) > 0:
		fmt.Fprintf(s.out, ": %s\n", o.Evidence[0].Summary)
	case o.Reason != "":
		fmt.Fprintf(s.out, ": %s\n", o.Reason)
	case len(o.Shadow) > 0:
		fmt.Fprintf(s.out, ": %s by the rule %s, but for its %s\n", o.Shadow[0].Action, o.Shadow[0].Rule, o.Shadow[0].Why)
	default:
		fmt.Fprintln(s.out)
	}
	return s.out.Flush()
}

func (s *textShow) end(sum *replaySummary, t *tally) error {
	if s.live {
		fmt.Fprintln(s.out)
	}
	if sum.Compared != nil {
		s.compared(sum.Compared)
		s.summary(sum, t)
		return s.out.Flush()
	}
	all := t.ranked()
	for i, o := range all[:min(len(all), shownOffenders)] {
		s.offender(i+1, o)
	}
	if more := len(all) - shownOffenders + t.dropped; more > 0 {
		fmt.Fprintf(s.out, "and %d more: --output json has every exchange\n\n", more)
	}
	s.summary(sum, t)
	return s.out.Flush()
}

const stamp = "2006-01-02 15:04:05"

func (s *textShow) offender(n int, o *offender) {
	fmt.Fprintf(s.out, "%d. %s %s: %s\n", n, o.kind, orNobody(o.name), would(o))
	when := o.from.Format(stamp)
	if !o.to.Equal(o.from) {
		when += " to " + o.to.Format(stamp)
	}
	fmt.Fprintf(s.out, "   %s, score %.1f of 12\n", when, o.score)
	for _, f := range o.findings() {
		fmt.Fprintf(s.out, "   - %s", f.Summary)
		if f.Attack != "" {
			fmt.Fprintf(s.out, " [%s]", strings.TrimSpace(f.Attack+" "+f.OWASP))
		}
		fmt.Fprintln(s.out)
	}
	for _, reason := range slices.Sorted(maps.Keys(o.reasons))[:min(len(o.reasons), shownFindings)] {
		fmt.Fprintf(s.out, "   policy: %s\n", reason)
	}
	fmt.Fprintln(s.out)
}

// actionsDone are the actions that stop a request, the gravest first, and what
// one says of it then.
var actionsDone = []struct {
	action policy.Action
	done   string
}{{policy.Deny, "denied"}, {policy.Challenge, "challenged"}, {policy.Throttle, "throttled"}}

// would says what would have been done to an offender.
func would(o *offender) string {
	var parts []string
	for _, a := range actionsDone {
		if n := o.actions[a.action]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", plural(n, "request"), a.done))
		}
	}
	if len(parts) == 0 {
		return plural(o.exchanges, "unusual request") + ", allowed"
	}
	return "would have had " + strings.Join(parts, ", ")
}

func orNobody(s string) string {
	if s == "" {
		return "nobody known"
	}
	return s
}

func (s *textShow) summary(sum *replaySummary, t *tally) {
	row := func(what, format string, args ...any) {
		fmt.Fprintf(s.out, "%-11s %s\n", what, fmt.Sprintf(format, args...))
	}
	switch {
	case sum.Compared != nil && sum.Compared.Differ == 0:
		fmt.Fprint(s.out, "No decision differs.\n\n")
	case sum.Compared == nil && len(t.offenders) == 0:
		fmt.Fprint(s.out, "Nothing stood out.\n\n")
	}
	row("exchanges", "%s by %s, %s to %s", grouped(sum.Exchanges), plural(sum.Identities, "identity"),
		t.first.Format(stamp), t.last.Format(stamp))
	if sum.WithoutRequest > 0 {
		row("skipped", "%s without a request, which a server or a browser answered itself", plural(sum.WithoutRequest, "line"))
	}
	row("anomalous", "%s, on %s of %s", grouped(sum.Anomalous), grouped(t.alerts), plural(t.days, "identity-day"))
	row("budget", "%.3g alerts per 1,000 identities and day, where %.3g is the target", sum.Budget.Realised, sum.Budget.Target)
	if c := sum.Compared; c != nil {
		row("A", "would have %s", wouldHave(c.A.Actions))
		row("B", "would have %s", wouldHave(c.B.Actions))
		row("differ", "%s by %s", plural(c.Differ, "exchange"), plural(c.Callers, "caller"))
	} else {
		row("would have", "%s", wouldHave(sum.Actions))
	}
	for i := range sum.Shadow[:min(len(sum.Shadow), shownFindings)] {
		row("passed over", "%v", &sum.Shadow[i])
	}
	row("took", "%s", (time.Duration(sum.Seconds * float64(time.Second))).Round(time.Millisecond))
	if sum.advice != "" {
		fmt.Fprint(s.out, "\n"+sum.advice+"\n")
	}
}

// plural counts things: "1 identity", "2 identities".
func plural(n int, thing string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(thing, "y") && !strings.HasSuffix(thing, "day"):
		thing = strings.TrimSuffix(thing, "y") + "ies"
	default:
		thing += "s"
	}
	return grouped(n) + " " + thing
}

// grouped writes 12,345.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
