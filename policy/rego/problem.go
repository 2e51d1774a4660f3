package rego

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/loader"
)

// Problem is something wrong with a policy, and where.
type Problem struct {
	File    string `json:"file"`
	Row     int    `json:"row"`    // from 1; 0: the file as a whole
	Col     int    `json:"column"` // from 1
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to do about it
	Note    bool   `json:"note,omitempty"` // worth knowing, and no mistake
}

// Error is "file:line:column: message: hint".
func (p Problem) Error() string {
	text := p.Message
	if p.Hint != "" {
		text += ": " + p.Hint
	}
	if p.File == "" {
		return text
	}
	return p.Place() + ": " + text
}

// Place is "file:line:column".
func (p Problem) Place() string {
	if p.Row == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Row, p.Col)
}

// hinted adds what to do about it.
func (p Problem) hinted(format string, args ...any) Problem {
	p.Hint = fmt.Sprintf(format, args...)
	return p
}

func problemAt(l *ast.Location, format string, args ...any) Problem {
	p := Problem{Message: fmt.Sprintf(format, args...)}
	if l != nil {
		p.File, p.Row, p.Col = l.File, l.Row, max(l.Col, 1)
	}
	return p
}

func sorted(all []Problem) []Problem {
	slices.SortFunc(all, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(all)
}

// Problems is an error of one line each.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// problems translates what OPA's parser, compiler and loader say.
func problems(err error) error {
	var out Problems
	var several loader.Errors
	var parsed ast.Errors
	var one *ast.Error
	switch {
	case errors.As(err, &several):
		for _, e := range several {
			out = append(out, flatten(problems(e))...)
		}
	case errors.As(err, &parsed):
		for _, e := range parsed {
			out = append(out, problem(e))
		}
	case errors.As(err, &one):
		out = append(out, problem(one))
	default:
		out = append(out, Problem{Message: err.Error()})
	}
	return Problems(sorted(out))
}

func flatten(err error) Problems {
	var ps Problems
	errors.As(err, &ps)
	return ps
}

// undefinedFunction is how the compiler speaks of a builtin that is not there.
var undefinedFunction = regexp.MustCompile(`^undefined function ([\w.]+)$`)

func problem(e *ast.Error) Problem {
	message := e.Message
	if e.Code == growthError {
		return problemAt(e.Location, "%s", message).hinted("put only the parts of it that are needed into another value")
	}
	if m := undefinedFunction.FindStringSubmatch(message); m != nil {
		if why := removed[m[1]]; why != "" {
			return problemAt(e.Location, "%s is not allowed in a policy", m[1]).hinted("%s", why)
		}
		if near := nearest(m[1], builtinNames()); near != "" {
			return problemAt(e.Location, "there is no function %s", m[1]).hinted("did you mean %q?", near)
		}
	}
	if d, ok := e.Details.(*ast.RefErrInvalidDetail); ok && len(d.OneOf) > 0 {
		return unknown(e.Location, d.Ref[:d.Pos].String(), nameOf(d.Ref[d.Pos].Value), namesIn(d.OneOf))
	}
	if e.Details != nil {
		for _, line := range e.Details.Lines() {
			message += "\n\t" + line
		}
	}
	p := problemAt(e.Location, "%s: %s", e.Code, message)
	if strings.Contains(e.Message, "unexpected eof token") {
		return p.hinted("a brace, bracket or quote before is left open")
	}
	return p
}

// nameOf is a value as a name: without quotes where it is a string.
func nameOf(v ast.Value) string {
	if s, ok := v.(ast.String); ok {
		return string(s)
	}
	return v.String()
}

func namesIn(all []ast.Value) (names []string) {
	for _, v := range all {
		names = append(names, nameOf(v))
	}
	return names
}

// nearest is the name within two letters of s, or within three where both begin
// alike ("denies" for "deny"); "" if there is none.
func nearest(s string, names []string) string {
	best, found := 4, ""
	for _, n := range names {
		alike := len(n) >= 3 && strings.HasPrefix(s, n[:3])
		if d := distance(s, n); d < best && d < len(n) && (d < 3 || alike) {
			best, found = d, n
		}
	}
	return found
}

// distance is Levenshtein's: letters inserted, deleted or replaced.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
