package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// outcome is what a client meets with, in so far as two policies can differ in it.
type outcome struct {
	Action     string `json:"action"`
	Status     int    `json:"status,omitempty"` // 0: it passes
	RetryAfter string `json:"retry_after,omitempty"`
	Realm      string `json:"realm,omitempty"`
	Told       string `json:"told,omitempty"`       // what else a challenge or throttle says: "acr_values \"phr\", max_age 5m"
	Quarantine string `json:"quarantine,omitempty"` // "address 10m, caller 1h"
}

// said is an outcome and why: the rules that made it so.
type said struct {
	outcome
	Reason string `json:"reason"`
}

func saidBy(v *policy.Verdict) said {
	s := said{outcome{Action: v.Action.String()}, v.Reason}
	if v.Action > policy.Allow {
		s.Status = v.HTTPStatus()
	}
	s.Told = v.Manner.String()
	switch v.Action {
	case policy.Throttle:
		s.RetryAfter = policy.WindowName(v.RetryAfter)
	case policy.Challenge:
		s.Realm = v.Realm
	}
	var all []string
	for _, q := range v.Quarantine {
		all = append(all, strings.TrimSpace(q.Entity+" "+policy.WindowName(q.TTL)))
	}
	s.Quarantine = strings.Join(all, ", ")
	return s
}

// difference is one exchange on which two policies differ. Its JSON field names
// are a contract.
type difference struct {
	Time      time.Time `json:"time"`
	ID        string    `json:"id"`
	Identity  string    `json:"identity"`
	Kind      string    `json:"kind"`
	Route     string    `json:"route"`
	Cohort    string    `json:"cohort"`
	Score     float64   `json:"score"`
	Anomalous bool      `json:"anomalous"`
	A         said      `json:"a"`
	B         said      `json:"b"`
	Line      int       `json:"line"`           // from 1
	File      string    `json:"file,omitempty"` // where there are several
}

// differs counts differences, by what was said on both sides.
type differs struct {
	groups map[[2]said]*differGroup
	last   *difference // of the last exchange; nil: the policies agree
}

// differGroup is the differences of one kind.
type differGroup struct {
	a, b                     said
	exchanges                int
	routes, cohorts, callers counts
	examples                 []*difference // the first
}

// What is kept of differences: rules may give reasons with numbers in them, and
// then there are as many groups as differences.
const (
	keptGroups        = 500
	keptNames         = 1000
	keptGroupExamples = 3
	others            = "(others)"
	noCohort          = "none"
	reasonOfBudgets   = "response budget"
	classOfQuarantine = "quarantined"

	reasonOfQuarantine = "it came from quarantine"
	classOfBudgets     = "budget"
)

// compare looks at what both have said of an exchange that has ended and was
// counted.
func (v *comparison) compare(ex *scoring.Exchange, t *tally) {
	v.differs.last = nil
	a, b := saidBy(&v.a.verdict), saidBy(&v.b.verdict)
	if a.outcome == b.outcome {
		return
	}
	who := policy.Principal(ex)
	t.differ++
	t.identities[who.Key].differs = true
	d := &difference{
		Time: ex.Time, ID: ex.ID.String(), Identity: policy.DisplayName(who), Kind: who.Kind.String(), Route: ex.Route.Name,
		Cohort: cmp.Or(ex.Assessment.Cohort, noCohort), Score: ex.Assessment.Score, Anomalous: ex.Assessment.Anomalous,
		A: a, B: b, Line: t.line,
	}
	v.differs.last = d
	g := v.differs.group(withoutNumbers(a, &v.a.verdict), withoutNumbers(b, &v.b.verdict))
	g.exchanges++
	g.routes.add(d.Route, d.Route)
	g.cohorts.add(d.Cohort, d.Cohort)
	g.callers.add(policy.Hash(who.Key), d.Kind+" "+orNobody(d.Identity))
	if len(g.examples) < keptGroupExamples {
		g.examples = append(g.examples, d)
	}
}

// withoutNumbers makes one group of all that budgets cut, and of all that comes from
// quarantine: their reasons tell sizes and times.
func withoutNumbers(s said, v *policy.Verdict) said {
	switch v.Class {
	case classOfBudgets:
		s.Reason = reasonOfBudgets
	case classOfQuarantine:
		s.Reason = reasonOfQuarantine
	}
	return s
}

func (ds *differs) group(a, b said) *differGroup {
	key := [2]said{a, b}
	if ds.groups[key] == nil && len(ds.groups) >= keptGroups {
		for i := range key {
			key[i] = said{outcome{Action: key[i].Action}, others}
		}
	}
	g := ds.groups[key]
	if g == nil {
		g = &differGroup{a: key[0], b: key[1], routes: counts{}, cohorts: counts{}, callers: counts{}}
		ds.groups[key] = g
	}
	return g
}

// ranked is the groups, the largest first.
func (ds *differs) ranked() []*differGroup {
	return slices.SortedFunc(maps.Values(ds.groups), func(x, y *differGroup) int {
		return cmp.Or(cmp.Compare(y.exchanges, x.exchanges), x.examples[0].Time.Compare(y.examples[0].Time),
			cmp.Compare(x.examples[0].Line, y.examples[0].Line), cmp.Compare(x.a.Reason+"\n"+x.b.Reason, y.a.Reason+"\n"+y.b.Reason))
	})
}

// count is how often a name was met with.
type count struct {
	Name      string `json:"name"`
	Exchanges int    `json:"exchanges"`
}

// counts count names by a key, as far as there is room.
type counts map[string]*count

func (c counts) add(key, name string) {
	if c[key] == nil && len(c) >= keptNames {
		key, name = others, others
	}
	if c[key] == nil {
		c[key] = &count{Name: name}
	}
	c[key].Exchanges++
}

// ranked is the first n of them, the most frequent first.
func (c counts) ranked(n int) []count {
	all := make([]count, 0, len(c))
	for _, one := range c {
		all = append(all, *one)
	}
	slices.SortFunc(all, func(x, y count) int {
		return cmp.Or(cmp.Compare(y.Exchanges, x.Exchanges), cmp.Compare(x.Name, y.Name))
	})
	return all[:min(len(all), n)]
}
