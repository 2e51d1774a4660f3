package demo

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wonted-project/wonted/policy"
)

// teller prints the story as it happens: plain, or with colour and short
// pauses on a terminal.
type teller struct {
	w      io.Writer
	colour bool
	pause  time.Duration
}

// The colours, as terminals number them.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "36"
)

// width is how far a line reaches.
const width = 92

// paint colours text where colour is wanted.
func (t *teller) paint(code, text string) string {
	if !t.colour || code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// scene opens a scene.
func (t *teller) scene(number int, title, mode string) {
	time.Sleep(t.pause)
	label := fmt.Sprintf("%d  %s", number, title)
	gap := max(2, width-utf8.RuneCountInString(label)-utf8.RuneCountInString(mode))
	fmt.Fprintf(t.w, "\n%s%s%s\n", t.paint(bold, label), strings.Repeat(" ", gap), t.paint(dim, mode))
}

// say prints a paragraph.
func (t *teller) say(format string, args ...any) {
	for _, line := range wrap(fmt.Sprintf(format, args...), width-3) {
		fmt.Fprintf(t.w, "   %s\n", line)
	}
}

// saw prints what a client did, and what it saw.
func (t *teller) saw(did, result, code string) {
	time.Sleep(t.pause)
	gap := max(2, 42-utf8.RuneCountInString(did))
	fmt.Fprintf(t.w, "   %s %s%s%s\n", t.paint(dim, "→"), did, strings.Repeat(" ", gap), t.paint(code, result))
}

// explain prints wonted's own report: the score, the verdict and the
// evidence, word for word.
func (t *teller) explain(r *policy.Report) {
	if r == nil {
		return
	}
	verb := strings.ToUpper(r.Action)
	switch {
	case r.Mode == policy.Shadow.String():
		verb = "WOULD " + verb
	case r.Action != policy.Allow.String() && r.Status == 200:
		verb += " in mid-response" // the client had its status already
	}
	bar := t.paint(blue, "│")
	fmt.Fprintf(t.w, "     %s %s %s  %s  score %.1f of 12, alarm at %.1f\n", bar, t.paint(bold, "wonted: "+verb+" "),
		r.Identity, r.Route, r.Score, r.Threshold)
	if r.Reason != "" {
		fmt.Fprintf(t.w, "     %s %s\n", bar, r.Reason)
	}
	for _, finding := range worthSaying(r.Evidence) {
		tag := strings.Trim(finding.Attack+", "+finding.OWASP, ", ")
		fmt.Fprintf(t.w, "     %s · %s", bar, finding.Summary)
		if utf8.RuneCountInString(finding.Summary+tag) > width-12 {
			fmt.Fprintf(t.w, "\n     %s  ", bar)
		}
		fmt.Fprintf(t.w, "  %s\n", t.paint(dim, tag))
	}
	fmt.Fprintf(t.w, "     %s %s\n", bar, t.paint(dim, "decision "+r.ID))
}

// worthSaying is the evidence without what several entities have in common (the
// caller and its address were both too fast), the most surprising three.
func worthSaying(evidence []policy.Finding) []policy.Finding {
	var say []policy.Finding
	for _, f := range evidence {
		said := slices.ContainsFunc(say, func(s policy.Finding) bool { return s.Detector == f.Detector && s.Unit == f.Unit })
		if !said && len(say) < 3 {
			say = append(say, f)
		}
	}
	return say
}

// verdict prints whether a scene went as told.
func (t *teller) verdict(failed []expectation) {
	for _, e := range failed {
		fmt.Fprintf(t.w, "   %s %s\n", t.paint(red, "NOT AS TOLD:"), e)
	}
}

// wrap breaks text at spaces into lines of at most n characters, where words
// are not longer.
func wrap(text string, n int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > n {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// number writes n with commas: 30,040.
func number[N ~int | ~int64](n N) string {
	digits := fmt.Sprint(n)
	if n < 0 {
		return "-" + number(-n)
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
