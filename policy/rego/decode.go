package rego

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/policy"
)

// contract is every rule that wonted reads, with what takes one element of it.
var contract = map[string]func(*policy.Rules, ast.Value) error{
	"deny":      func(r *policy.Rules, v ast.Value) error { return verdict(&r.Deny, v) },
	"challenge": func(r *policy.Rules, v ast.Value) error { return verdict(&r.Challenge, v) },
	"throttle":  func(r *policy.Rules, v ast.Value) error { return verdict(&r.Throttle, v) },
	"allow":     func(r *policy.Rules, v ast.Value) error { return exception(&r.Allow, v) },

	"response_budget": budget,
	"inspect":         inspect,
	"severity":        severity,
	"quarantine":      quarantine,

	"request_headers":         func(r *policy.Rules, v ast.Value) error { return setHeader(&r.Request, v) },
	"response_headers":        func(r *policy.Rules, v ast.Value) error { return setHeader(&r.Response, v) },
	"remove_request_headers":  func(r *policy.Rules, v ast.Value) error { return removeHeader(&r.Request, v) },
	"remove_response_headers": func(r *policy.Rules, v ast.Value) error { return removeHeader(&r.Response, v) },
	"metadata":                func(r *policy.Rules, v ast.Value) error { return setMetadata(&r.Metadata, v) },
}

// decodeSet takes the elements of one contract rule.
func decodeSet(rules *policy.Rules, r rule, t *ast.Term) error {
	if t == nil {
		return nil
	}
	set, ok := t.Value.(ast.Set)
	if !ok {
		return fmt.Errorf("%w: %s.%s is %s, want a set", policy.ErrContract, Package, r.name, kind(t.Value))
	}
	return set.Iter(func(e *ast.Term) error {
		if err := r.decode(rules, e.Value); err != nil {
			return fmt.Errorf("%w: %s.%s has the element %s: %w", policy.ErrContract, Package, r.name, short(e.Value), err)
		}
		return nil
	})
}

// kind names a value's type with its article, for errors.
func kind(v ast.Value) string {
	switch v.(type) {
	case ast.Null:
		return "null"
	case ast.Boolean:
		return "a boolean"
	case ast.Number:
		return "a number"
	case ast.String:
		return "a string"
	case *ast.Array:
		return "an array"
	case ast.Object:
		return "an object"
	case ast.Set:
		return "a set"
	}
	return fmt.Sprintf("a %T", v)
}

// short keeps a value from filling the log.
func short(v ast.Value) string {
	if left := 1024; spend(&left, ast.NewTerm(v)) {
		return kind(v) + " of more than a thousand values"
	}
	s := v.String()
	if len(s) > 80 {
		s = s[:80] + "…"
	}
	return s
}

// object calls f with every field; f answers whether it knows the name.
func object(v ast.Value, want string, f func(name string, v ast.Value) (known bool, err error)) error {
	o, ok := v.(ast.Object)
	if !ok {
		return fmt.Errorf("it is %s, want %s", kind(v), want)
	}
	return o.Iter(func(k, x *ast.Term) error {
		name, ok := k.Value.(ast.String)
		if !ok {
			return fmt.Errorf("the name %s is %s, want %s", short(k.Value), kind(k.Value), want)
		}
		known, err := f(string(name), x.Value)
		switch {
		case err != nil:
			return fmt.Errorf("%q: %w", string(name), err)
		case !known:
			return fmt.Errorf("unknown field %q, want %s", string(name), want)
		}
		return nil
	})
}

const wantVerdict = `a string (the reason) or an object of "reason", "status", "retry_after", "realm", "acr_values", "max_age", "redirect", "quota", "window", "rule", "shadow", "rollout" and "cohorts"`

func verdict(to *[]policy.Rule, v ast.Value) error {
	if s, ok := v.(ast.String); ok {
		*to = append(*to, policy.Rule{Reason: string(s)})
		return nil
	}
	var r policy.Rule
	err := object(v, wantVerdict, func(name string, v ast.Value) (known bool, err error) {
		switch name {
		case "reason":
			r.Reason, err = plain(v)
		case "status":
			r.Status, err = status(v)
		case "retry_after":
			r.RetryAfter, err = wholeSeconds(v, 24*time.Hour)
		case "realm":
			r.Realm, err = quotable(v)
		case "acr_values":
			r.ACRValues, err = quotable(v)
		case "max_age":
			r.MaxAge, err = wholeSeconds(v, policy.MostAge)
		case "redirect":
			if r.Redirect, err = plain(v); err == nil {
				err = policy.Redirectable(r.Redirect)
			}
		case "quota":
			r.Quota, err = within(v, 1, 1e9)
		case "window":
			r.Window, err = wholeSeconds(v, 24*time.Hour)
		case "rule":
			r.ID, err = ruleID(v)
		case "shadow":
			r.Shadow, err = boolean(v)
		case "rollout":
			r.Withheld, err = withheld(v)
		case "cohorts":
			r.Cohorts, err = names(v)
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && (r.Quota == 0) != (r.Window == 0) {
		err = fmt.Errorf(`"quota" and "window" belong together: so many requests in so many seconds`)
	}
	*to = append(*to, r)
	return err
}

func wholeSeconds(v ast.Value, most time.Duration) (time.Duration, error) {
	n, err := within(v, 1, int64(most/time.Second))
	return time.Duration(n) * time.Second, err
}

// exception is a verdict that lifts others, for everybody whom it names.
func exception(to *[]policy.Rule, v ast.Value) error {
	err := verdict(to, v)
	if err != nil {
		return err
	}
	r := &(*to)[len(*to)-1]
	if r.ID != "" || r.Shadow || r.Withheld > 0 || len(r.Cohorts) > 0 || r.Manner != (policy.Manner{}) {
		return fmt.Errorf(`"rule", "shadow", "rollout", "cohorts" and what a client is told are for deny, challenge and throttle`)
	}
	return nil
}

// status is one that refuses, and that HTTP knows by name.
func status(v ast.Value) (int, error) {
	n, err := within(v, 400, 599)
	if err == nil && http.StatusText(int(n)) == "" {
		err = fmt.Errorf("%d is no status of HTTP", n)
	}
	return int(n), err
}

func plain(v ast.Value) (string, error) {
	s, ok := v.(ast.String)
	if !ok {
		return "", fmt.Errorf("it is %s, want a string", kind(v))
	}
	return string(s), nil
}

// within takes a whole number; JSON may write it 429 or 429.0.
func within(v ast.Value, least, most int64) (int64, error) {
	if n, ok := v.(ast.Number); ok {
		if i, ok := n.Int64(); ok && i >= least && i <= most {
			return i, nil
		}
		return 0, fmt.Errorf("it is %s, want a whole number from %d to %d", short(v), least, most)
	}
	return 0, fmt.Errorf("it is %s, want a whole number from %d to %d", kind(v), least, most)
}

// quotable goes into www-authenticate.
func quotable(v ast.Value) (string, error) {
	s, err := plain(v)
	if err == nil {
		err = policy.Quotable(s)
	}
	return s, err
}

const wantBudget = `an object of "records" (a number), "bytes" (a number) and "usual" (times what is usual)`

func budget(r *policy.Rules, v ast.Value) error {
	var b policy.Budget
	err := object(v, wantBudget, func(name string, v ast.Value) (known bool, err error) {
		switch name {
		case "records":
			b.Records, err = within(v, 1, 1<<53)
		case "bytes":
			b.Bytes, err = within(v, 1, 1<<53)
		case "usual":
			b.Usual, err = positive(v)
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && b == (policy.Budget{}) {
		err = fmt.Errorf("it bounds nothing, want %s", wantBudget)
	}
	r.Budget = append(r.Budget, b)
	return err
}

func positive(v ast.Value) (float64, error) {
	n, ok := v.(ast.Number)
	if !ok {
		return 0, fmt.Errorf("it is %s, want a number above 0", kind(v))
	}
	f, err := json.Number(n).Float64()
	if err != nil || f <= 0 {
		return 0, fmt.Errorf("it is %s, want a number above 0", short(v))
	}
	return f, nil
}

// inspect: any element asks for the body; a string says why, to the reader.
func inspect(r *policy.Rules, v ast.Value) error {
	switch v := v.(type) {
	case ast.String:
	case ast.Boolean:
		if !bool(v) {
			return fmt.Errorf("it is false: leave the rule undefined instead")
		}
	default:
		return fmt.Errorf("it is %s, want a string (the reason) or true", kind(v))
	}
	r.Inspect = true
	return nil
}

// severity takes the words of input.severity, of which "none" says nothing.
func severity(r *policy.Rules, v ast.Value) error {
	s, ok := v.(ast.String)
	if s == "none" {
		return nil
	}
	if !ok || policy.SeverityRank(string(s)) == 0 {
		return fmt.Errorf(`want "low", "medium", "high" or "critical"`)
	}
	r.Severity = append(r.Severity, string(s))
	return nil
}

const wantQuarantine = `an object of "entity", and "ttl" unless the ladder shall say how long`

func quarantine(r *policy.Rules, v ast.Value) error {
	var q policy.Quarantine
	err := object(v, wantQuarantine, func(name string, v ast.Value) (known bool, err error) {
		switch name {
		case "entity":
			if q.Entity, err = plain(v); err == nil && !slices.Contains(policy.Quarantinable, q.Entity) {
				err = fmt.Errorf("unknown entity %q, want one of %s", q.Entity, strings.Join(policy.Quarantinable, ", "))
			}
		case "ttl":
			q.TTL, err = ttl(v)
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && q.Entity == "" {
		err = fmt.Errorf("want %s", wantQuarantine)
	}
	r.Quarantine = append(r.Quarantine, q)
	return err
}

func ttl(v ast.Value) (time.Duration, error) {
	s, err := plain(v)
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second || d > 30*24*time.Hour {
		return 0, fmt.Errorf(`%q: want a duration from "1s" to "720h", as in "15m"`, s)
	}
	return d, nil
}
