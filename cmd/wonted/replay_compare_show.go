package main

import (
	"fmt"
	"strings"

	"github.com/wonted-project/wonted/policy"
)

// compared is what the summary of --output json tells of two policies. Its names
// are a contract.
type compared struct {
	A       comparedPolicy  `json:"a"`
	B       comparedPolicy  `json:"b"`
	Differ  int             `json:"differ"`  // exchanges
	Callers int             `json:"callers"` // whose they are
	Groups  []comparedGroup `json:"groups"`  // the largest first
}

type comparedPolicy struct {
	Policy  string         `json:"policy"` // directory; "": the default policy
	Actions map[string]int `json:"actions"`
}

type comparedGroup struct {
	A         said          `json:"a"`
	B         said          `json:"b"`
	Exchanges int           `json:"exchanges"`
	Callers   int           `json:"callers"` // 1,000 at most are told apart
	ByRoute   []count       `json:"by_route"`
	ByCohort  []count       `json:"by_cohort"`
	ByCaller  []count       `json:"by_caller"`
	Examples  []*difference `json:"examples"`
}

// comparedNames is how many routes, cohorts and callers of a group are named.
const comparedNames = 10

func (v *comparison) summary(t *tally) *compared {
	c := &compared{A: v.a.summary(), B: v.b.summary(), Groups: []comparedGroup{}}
	c.Differ, c.Callers = t.metric("differ")
	for _, g := range v.differs.ranked() {
		c.Groups = append(c.Groups, comparedGroup{
			A: g.a, B: g.b, Exchanges: g.exchanges, Callers: len(g.callers),
			ByRoute: g.routes.ranked(comparedNames), ByCohort: g.cohorts.ranked(comparedNames), ByCaller: g.callers.ranked(comparedNames),
			Examples: g.examples,
		})
	}
	return c
}

func (s *side) summary() comparedPolicy { return comparedPolicy{s.name, actionCounts(s.actions)} }

// String names the policy.
func (p comparedPolicy) String() string {
	if p.Policy == "" {
		return "the default policy"
	}
	return p.Policy
}

// wouldHave tells what a policy would have done.
func wouldHave(actions map[string]int) string {
	return fmt.Sprintf("allowed %s, throttled %s, challenged %s, denied %s", grouped(actions[policy.Allow.String()]),
		grouped(actions[policy.Throttle.String()]), grouped(actions[policy.Challenge.String()]), grouped(actions[policy.Deny.String()]))
}

func (o *outcome) String() string {
	text := o.Action
	if o.Status != 0 {
		text += fmt.Sprintf(" %d", o.Status)
	}
	if o.RetryAfter != "" {
		text += " for " + o.RetryAfter
	}
	if o.Realm != "" {
		text += fmt.Sprintf(" (realm %q)", o.Realm)
	}
	if o.Told != "" {
		text += " (" + o.Told + ")"
	}
	if o.Quarantine != "" {
		text += ", quarantine " + o.Quarantine
	}
	return text
}

func (s *said) String() string {
	if s.Reason == "" {
		return s.outcome.String()
	}
	return s.outcome.String() + ": " + s.Reason
}

// compared tells the groups, the largest first.
func (s *textShow) compared(c *compared) {
	fmt.Fprintf(s.out, "A is %s, B is %s\n\n", c.A, c.B)
	for i, g := range c.Groups[:min(len(c.Groups), shownOffenders)] {
		fmt.Fprintf(s.out, "%d. %s by %s\n   A  %s\n   B  %s\n", i+1, plural(g.Exchanges, "exchange"), plural(g.Callers, "caller"), &g.A, &g.B)
		s.names("routes", g.ByRoute)
		s.names("cohorts", g.ByCohort)
		s.names("callers", g.ByCaller)
		for _, d := range g.Examples {
			fmt.Fprintf(s.out, "   - %s\n", d)
		}
		fmt.Fprintln(s.out)
	}
	if more := len(c.Groups) - shownOffenders; more > 0 {
		fmt.Fprintf(s.out, "and %d more kinds of difference: --output json has every exchange\n\n", more)
	}
}

func (s *textShow) names(what string, all []count) {
	var parts []string
	for _, c := range all[:min(len(all), shownFindings)] {
		parts = append(parts, fmt.Sprintf("%s (%s)", c.Name, grouped(c.Exchanges)))
	}
	if len(all) > shownFindings {
		parts = append(parts, "…")
	}
	fmt.Fprintf(s.out, "   %-8s %s\n", what, strings.Join(parts, ", "))
}

// String is a line about one exchange.
func (d *difference) String() string {
	where := fmt.Sprintf("line %d", d.Line)
	if d.File != "" {
		where = fmt.Sprintf("%s:%d", d.File, d.Line)
	}
	return fmt.Sprintf("%s %s, %s %s, %s, score %.1f; A: %s; B: %s", d.Time.Format(stamp), where, d.Kind, orNobody(d.Identity), d.Route, d.Score, &d.A, &d.B)
}

func (s *textShow) differ(d *difference) error {
	if !s.live {
		return nil
	}
	fmt.Fprintln(s.out, d)
	return s.out.Flush()
}

func (s *jsonShow) differ(d *difference) error {
	if err := s.json.Encode(d); err != nil {
		return err
	}
	return s.out.Flush()
}
