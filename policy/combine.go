package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Rules is what the rules of a policy said about one exchange: the elements of
// the contract's sets. Order means nothing and doubles do no harm.
type Rules struct {
	Deny, Challenge, Throttle, Allow []Rule

	Inspect    bool
	Severity   []string // of severities
	Budget     []Budget
	Quarantine []Quarantine
	Request    []HeaderWish
	Response   []HeaderWish
	Metadata   []HeaderWish // keys in the place of names
}

// Rule is one reason to act. Fields that are zero leave it to the action.
type Rule struct {
	ID         string // what it is called in reports, metrics and settings
	Reason     string
	Status     int
	RetryAfter time.Duration
	Realm      string
	Manner
	Stage
}

// HeaderWish is one rule's wish for a header. For ranks wishes that contradict
// each other; it does not make the wish depend on the action.
type HeaderWish struct {
	HeaderRule
	For Action
}

// severities, the mildest first.
var severities = [...]string{"low", "medium", "high", "critical"}

// SeverityRank orders severities; 0 is no severity.
func SeverityRank(s string) int { return 1 + slices.Index(severities[:], s) }

// Combine makes one decision of all rules that fired:
//
//   - deny over challenge over throttle; allow is an exception and overrides
//     all three. An exception lifts verdicts, not budgets and not headers: each
//     rule of these carries its own condition.
//   - among rules of the winning action: the highest status, the longest
//     retry-after, the lowest max_age, the lowest quota (of equal ones that of the
//     longest window), the first realm, acr_values and redirect in byte order;
//     all reasons, sorted.
//     A decision that changes nothing has no reason, so an exception that had
//     nothing to lift leaves none. What is in shadow by the policy itself does
//     not count; for whom else a rule is not in force, only the Gate can tell,
//     which has the candidates for that.
//   - the smallest budget of each unit, the highest severity, the longest
//     quarantine of each entity.
//   - of several values for one header or key of metadata the one that was wished for the severest
//     action, then the first in byte order; each other value is a conflict. A
//     value beats a removal, without conflict: it replaces what was there.
//
// policy/rego/starter/wonted/combine.rego says the same in Rego; a test holds them
// together. A decision that does nothing is shared.
func (r *Rules) Combine() *Decision {
	if r.silent() {
		return &allowed
	}
	d := &Decision{Action: Allow, Inspect: r.Inspect, Candidates: r.candidates()}
	var force []*Candidate
	for i := range d.Candidates {
		if x := &d.Candidates[i]; !x.Shadow {
			force = append(force, x)
		}
	}
	if len(r.Allow) == 0 {
		d.act(force)
	} else if d.Candidates = nil; len(force) > 0 {
		d.Reason = reasons(r.exceptions())
	}
	for _, s := range r.Severity {
		if SeverityRank(s) > SeverityRank(d.Severity) {
			d.Severity = s
		}
	}
	for _, b := range r.Budget {
		d.Budget.Records = smaller(d.Budget.Records, b.Records)
		d.Budget.Bytes = smaller(d.Budget.Bytes, b.Bytes)
		d.Budget.Usual = smaller(d.Budget.Usual, b.Usual)
	}
	d.Quarantine = longest(r.Quarantine)
	var lost int
	d.Request, lost = headers(r.Request)
	d.Conflicts += lost
	d.Response, lost = headers(r.Response)
	d.Conflicts += lost
	d.Metadata, lost = headers(r.Metadata)
	d.Conflicts += lost
	return d
}

func (r *Rules) silent() bool {
	return len(r.Deny)+len(r.Challenge)+len(r.Throttle) == 0 && // an exception alone says nothing
		!r.Inspect && len(r.Severity)+len(r.Budget)+len(r.Quarantine)+len(r.Request)+len(r.Response)+len(r.Metadata) == 0
}

func (r *Rules) exceptions() (all []*Candidate) {
	for _, rule := range r.Allow {
		all = append(all, &Candidate{Allow, rule})
	}
	return all
}

func reasons(rules []*Candidate) string {
	all := make([]string, 0, len(rules))
	for _, rule := range rules {
		if rule.Reason != "" {
			all = append(all, rule.Reason)
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), "; ")
}

// smaller of two bounds of which 0 is none.
func smaller[T ~int64 | float64](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func longest(all []Quarantine) []Quarantine {
	if len(all) == 0 {
		return nil
	}
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Quarantine) int {
		return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(b.TTL, a.TTL))
	})
	return slices.CompactFunc(all, func(a, b Quarantine) bool { return a.Entity == b.Entity })
}

// headers settles the wishes name by name and counts the values that lost.
func headers(wishes []HeaderWish) (settled []HeaderRule, lost int) {
	if len(wishes) == 0 {
		return nil, 0
	}
	wishes = slices.Clone(wishes)
	slices.SortFunc(wishes, func(a, b HeaderWish) int {
		return cmp.Or(
			cmp.Compare(a.Name, b.Name),
			compareBool(a.Remove, b.Remove),
			cmp.Compare(b.For, a.For),
			cmp.Compare(a.Value, b.Value),
		)
	})
	for i, w := range wishes {
		if i == 0 || w.Name != settled[len(settled)-1].Name {
			settled = append(settled, w.HeaderRule)
			continue
		}
		// The values that lost, each once however often it was wished for.
		seen := slices.ContainsFunc(wishes[:i], func(e HeaderWish) bool { return e.HeaderRule == w.HeaderRule })
		if !w.Remove && !seen {
			lost++
		}
	}
	return settled, lost
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
