package rego

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/wonted-project/wonted/policy"
)

// Trial is one evaluation of a policy, with what led to its decision.
type Trial struct {
	Decision Words          `json:"decision"`
	Fired    []Fired        `json:"fired"`
	Held     []Held         `json:"not_fired"`
	Read     map[string]any `json:"read"`   // by the paths of input that the policy reads
	Absent   []string       `json:"absent"` // paths that it reads and that are not there
	Unknown  []Problem      `json:"unknown"`
	Input    map[string]any `json:"input"`

	trace topdown.BufferTracer
}

// Words is a decision as the library wonted.combine writes it.
type Words struct {
	Action     string             `json:"action"`
	Status     int                `json:"status"`      // 0: the action's own
	RetryAfter float64            `json:"retry_after"` // seconds
	Realm      string             `json:"realm"`
	ACRValues  string             `json:"acr_values"`
	MaxAge     float64            `json:"max_age"` // seconds; 0: not said
	Redirect   string             `json:"redirect"`
	Quota      int64              `json:"quota"`  // requests in the window; 0: not said
	Window     float64            `json:"window"` // seconds
	Reason     string             `json:"reason"`
	Severity   string             `json:"severity"`
	Inspect    bool               `json:"inspect"`
	Budget     BudgetWords        `json:"budget"`
	Quarantine map[string]int64   `json:"quarantine"`      // nanoseconds by entity
	Request    map[string]*string `json:"request_headers"` // null: removed
	Response   map[string]*string `json:"response_headers"`
	Metadata   map[string]*string `json:"metadata"`
	Conflicts  int                `json:"conflicts"`

	// Rules want something done, the severest first; the decision is of those that
	// are not in shadow, and is a caller's who is in all rollouts and cohorts.
	Rules []RuleWords `json:"rules,omitempty"`
}

// RuleWords is what one rule wants.
type RuleWords struct {
	Rule    string   `json:"rule"`
	Action  string   `json:"action"`
	Reason  string   `json:"reason"`
	Shadow  bool     `json:"shadow"`
	Rollout float64  `json:"rollout"` // percent of identities
	Cohorts []string `json:"cohorts,omitempty"`
}

// BudgetWords are the bounds of a response; 0 is none.
type BudgetWords struct {
	Records int64   `json:"records"`
	Bytes   int64   `json:"bytes"`
	Usual   float64 `json:"usual"`
}

func inWords(d *policy.Decision) Words {
	w := Words{
		Action: d.Action.String(), Status: d.Status, RetryAfter: d.RetryAfter.Seconds(), Realm: d.Realm, Reason: d.Reason,
		ACRValues: d.ACRValues, MaxAge: d.MaxAge.Seconds(), Redirect: d.Redirect, Quota: d.Quota, Window: d.Window.Seconds(),
		Severity: d.Severity, Inspect: d.Inspect, Budget: BudgetWords(d.Budget), Quarantine: map[string]int64{},
		Request: headerWords(d.Request), Response: headerWords(d.Response), Metadata: headerWords(d.Metadata), Conflicts: d.Conflicts,
	}
	for _, q := range d.Quarantine {
		w.Quarantine[q.Entity] = int64(q.TTL)
	}
	for _, x := range d.Candidates {
		w.Rules = append(w.Rules, RuleWords{x.ID, x.Action.String(), x.Reason, x.Shadow, 100 - x.Withheld, x.Cohorts})
	}
	return w
}

func headerWords(rules []policy.HeaderRule) map[string]*string {
	all := map[string]*string{}
	for _, r := range rules {
		if all[r.Name] = nil; !r.Remove {
			all[r.Name] = &r.Value
		}
	}
	return all
}

// maxSteps bounds a trace: some 100 MB. An ordinary evaluation takes a thousand.
const maxSteps = 200_000

// steps are what OPA does, until it is too much.
type steps struct {
	topdown.BufferTracer
	end context.CancelFunc
}

func (s *steps) TraceEvent(e topdown.Event) {
	if len(s.BufferTracer) == maxSteps {
		s.end()
		return
	}
	s.BufferTracer.TraceEvent(e)
}

// tooLong tells where a policy was given up.
func (s *steps) tooLong() error {
	var at *ast.Location
	if n := len(s.BufferTracer); n > 0 {
		at = s.BufferTracer[n-1].Location
	}
	return problemAt(at, "given up after %d steps: a running wonted would end it by its decision_deadline, and let `fail` decide", maxSteps)
}

// Try evaluates the policy on an input document, as it is published.
func (e *Engine) Try(ctx context.Context, input map[string]any) (*Trial, error) {
	v, err := ast.InterfaceToValue(input)
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	counted, end := context.WithCancel(ctx)
	defer end()
	s := &steps{end: end}
	d, err := e.ask(counted, ast.NewTerm(v), clock(input), s)
	switch {
	case err != nil && ctx.Err() == nil && counted.Err() != nil:
		return nil, s.tooLong()
	case err != nil:
		return nil, err
	}
	t := &Trial{Input: input, Unknown: []Problem{}, Read: map[string]any{}, Absent: []string{}, trace: s.BufferTracer}
	t.Decision = inWords(d)
	t.Fired, t.Held = explain(t.trace)
	for _, path := range e.inputs {
		if v, ok := valueAt(input, path); ok {
			t.Read[path] = v
		} else {
			t.Absent = append(t.Absent, path)
		}
	}
	t.Unknown = strange(t.Unknown, schema, input, "input")
	return t, nil
}

// WriteTrace writes all that OPA did.
func (t *Trial) WriteTrace(w io.Writer) { topdown.PrettyTraceWithLocation(w, t.trace) }

// Document is the whole input of an exchange, as it is published.
func Document(in *policy.Input) (map[string]any, error) {
	v, err := ast.JSON(new(view).build(planFor(schema, &node{whole: true}), in).Value)
	if err != nil {
		return nil, err
	}
	return v.(map[string]any), nil
}

// clock is when the decision is made.
func clock(input map[string]any) time.Time {
	switch n, _ := valueAt(input, "input.time.unix"); n := n.(type) {
	case json.Number:
		seconds, _ := n.Int64()
		return time.Unix(seconds, 0)
	case float64:
		return time.Unix(int64(n), 0)
	}
	return time.Unix(0, 0)
}

// valueAt finds a value by its path, "input.request.method".
func valueAt(input map[string]any, path string) (v any, ok bool) {
	v = input
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "input."), ".") {
		o, isObject := v.(map[string]any)
		if !isObject {
			return nil, false
		}
		if v, ok = o[name]; !ok {
			return nil, false
		}
	}
	return v, ok
}

// strange adds the names that no input has.
func strange(to []Problem, fields []field, doc map[string]any, path string) []Problem {
	for _, name := range slices.Sorted(maps.Keys(doc)) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			to = append(to, unknown(nil, path, name, namesOf(fields)))
			continue
		}
		below, isObject := doc[name].(map[string]any)
		if f := fields[i]; isObject && f.fields != nil {
			to = strange(to, f.fields, below, path+"."+name)
		} else if isObject && f.names != nil {
			for _, entry := range slices.Sorted(maps.Keys(below)) {
				if !slices.Contains(f.names, entry) {
					to = append(to, unknown(nil, path+"."+name, entry, f.names))
				}
			}
		}
	}
	return to
}
