package signin

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/wonted-project/wonted/scoring"
)

// Config is the `login:` list of the configuration: the sign-in routes. Where
// it is empty they are found by their shape.
type Config []Rule

// Rule declares one sign-in route.
type Rule struct {
	Path    string `yaml:"path"`              // "/v1/login", "/v1/tenants/{tenant}/login": braces stand for any one segment
	Method  string `yaml:"method,omitempty"`  // POST unless set
	User    string `yaml:"user,omitempty"`    // "json:FIELD", "form:FIELD" or "header:NAME"; "": the fields that user names are usually in
	Success string `yaml:"success,omitempty"` // "status < 400" unless set; <, <=, ==, >=, > and a number
}

// maxRules bounds the list: each request's path is compared with all.
const maxRules = 64

// rule is a Rule made ready.
type rule struct {
	method   string
	segments []string // "": any
	header   string   // the user's name is in this header; "": in the body
	field    string   // of the body, as flat writes it; "": the usual ones
	success  scoring.Statuses
}

// Validate reports every mistake, each with the rule's place in the list
// (counted from 1) and what would be right.
func (c Config) Validate() error {
	var errs []error
	seen := map[string]int{}
	for i, r := range c {
		made, err := r.compile()
		if err != nil {
			errs = append(errs, fmt.Errorf("login rule %d: %w", i+1, err))
			continue
		}
		key := made.method + " /" + strings.Join(made.segments, "/")
		if first, twice := seen[key]; twice {
			errs = append(errs, fmt.Errorf("login rule %d: %s %s, as rule %d says already; remove one", i+1, made.method, r.Path, first))
		}
		seen[key] = i + 1
	}
	if len(c) > maxRules {
		errs = append(errs, fmt.Errorf("login rule %d: more than %d sign-in routes; leave login out, and they are found by their shape", maxRules+1, maxRules))
	}
	return errors.Join(errs...)
}

// Headers are those that name users.
func (c Config) Headers() (names []string) {
	for _, r := range c {
		if name, ok := strings.CutPrefix(r.User, "header:"); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

// compile checks the rule and makes it ready to run.
func (r Rule) compile() (rule, error) {
	out := rule{method: strings.ToUpper(r.Method)}
	switch out.method {
	case "":
		out.method = "POST"
	case "POST", "PUT", "PATCH":
	case "GET":
		if !strings.HasPrefix(r.User, "header:") {
			return out, errors.New("method GET has no body to find the user in; say user: header:NAME")
		}
	default:
		return out, fmt.Errorf("unknown method %q; allowed are POST, PUT, PATCH and, with a user in a header, GET", r.Method)
	}
	var err error
	if out.segments, err = parsePath(r.Path); err != nil {
		return out, err
	}
	if err := out.parseUser(r.User); err != nil {
		return out, err
	}
	out.success, err = parseSuccess(r.Success)
	return out, err
}

func parsePath(path string) ([]string, error) {
	const allowed = "write the whole path, as /v1/login; {tenant} stands for any one segment"
	switch {
	case path == "":
		return nil, errors.New("path is missing; " + allowed)
	case path[0] != '/':
		return nil, fmt.Errorf("path %q does not begin with /; %s", path, allowed)
	case strings.ContainsAny(path, "?#* "):
		return nil, fmt.Errorf("path %q has a query, a wildcard or a space; %s", path, allowed)
	}
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, s := range segments {
		switch open, end := strings.HasPrefix(s, "{"), strings.HasSuffix(s, "}"); {
		case s == "":
			return nil, fmt.Errorf("path %q has an empty segment; %s", path, allowed)
		case open && end:
			segments[i] = ""
		case open || end:
			return nil, fmt.Errorf("path %q: %q is half a placeholder; %s", path, s, allowed)
		}
	}
	return segments, nil
}

func (r *rule) parseUser(text string) error {
	const allowed = `say json:FIELD, form:FIELD or header:NAME, or leave it out`
	if text == "" {
		return nil
	}
	where, name, ok := strings.Cut(text, ":")
	if name = strings.TrimSpace(name); !ok || name == "" {
		return fmt.Errorf("user %q names no field; %s", text, allowed)
	}
	switch where {
	case "header":
		r.header = strings.ToLower(name)
		return nil
	case "json", "form":
		// Whether a body is JSON is told by what it looks like. Of the path
		// credentials.email the last part is what the field is called.
		if where == "json" {
			name = name[strings.LastIndexByte(name, '.')+1:]
		}
		var room [maxField]byte
		field, ok := flat(room[:0], []byte(name))
		if !ok || len(field) == 0 {
			return fmt.Errorf("user %q: no field is called so; %s", text, allowed)
		}
		r.field = string(field)
		return nil
	}
	return fmt.Errorf("user %q: unknown place %q; %s", text, where, allowed)
}

// defaultSuccess is success where nothing is declared.
var defaultSuccess = scoring.Statuses{Least: 100, Most: 399}

func parseSuccess(text string) (scoring.Statuses, error) {
	const allowed = `say "status < 400" or "status == 302", with one of <, <=, ==, >=, > and a status`
	if text == "" {
		return defaultSuccess, nil
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "status")
	rest = strings.TrimSpace(rest)
	digits := strings.TrimLeft(rest, "<=>")
	operator := rest[:len(rest)-len(digits)]
	n, err := strconv.Atoi(strings.TrimSpace(digits))
	if !ok || err != nil {
		return scoring.Statuses{}, fmt.Errorf("success %q is not understood; %s", text, allowed)
	}
	s := scoring.Statuses{Least: 100, Most: 599}
	switch operator {
	case "<":
		s.Most = n - 1
	case "<=":
		s.Most = n
	case "==", "=":
		s.Least, s.Most = n, n
	case ">=":
		s.Least = n
	case ">":
		s.Least = n + 1
	default:
		return scoring.Statuses{}, fmt.Errorf("success %q: unknown comparison %q; %s", text, operator, allowed)
	}
	if s.Least < 100 || s.Most > 599 || s.Least > s.Most || s.Least == 100 && s.Most == 599 {
		return scoring.Statuses{}, fmt.Errorf("success %q is true of every status or of none; %s", text, allowed)
	}
	return s, nil
}
