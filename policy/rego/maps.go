package rego

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// The parts of input whose names come from the client or from the detectors.
// Where the policy names the entries it reads, only these are built.

// header joins the lines of one name with "," as RFC 9110, 5.3 has it. Names
// are lower-case on the wire of HTTP/2 and in Envoy.
func header(ex *scoring.Exchange, name string) (value string, ok bool) {
	for _, h := range ex.Headers {
		switch {
		case string(h.Name) != name:
		case !ok:
			value, ok = string(h.Value), true
		default:
			value += "," + string(h.Value)
		}
	}
	return value, ok
}

func headerValue(v *view, name string) *ast.Term {
	value, ok := header(v.ex, name)
	if !ok {
		return nil
	}
	return str(value)
}

func allHeaders(v *view) *ast.Term {
	var o fields
	for i, h := range v.ex.Headers {
		if len(h.Name) == 0 || h.Name[0] == ':' || seen(v.ex.Headers[:i], h.Name) {
			continue
		}
		name := string(h.Name)
		o.add(str(name), headerValue(v, name))
	}
	return o.term()
}

func seen(before []scoring.Header, name []byte) bool {
	for _, h := range before {
		if bytes.Equal(h.Name, name) {
			return true
		}
	}
	return false
}

// eachParameter calls f with the decoded parameters of the query; one that
// cannot be decoded is given as sent, for a policy to see.
func eachParameter(ex *scoring.Exchange, f func(name, value string)) {
	_, query := split(ex)
	n := 0
	for part := range strings.SplitSeq(string(query), "&") {
		if part == "" {
			continue
		}
		if n++; n > maxParts {
			return
		}
		name, value, _ := strings.Cut(part, "=")
		f(decoded(name), decoded(value))
	}
}

func decoded(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

func queryValue(v *view, name string) *ast.Term {
	var value string
	found := false
	eachParameter(v.ex, func(n, x string) {
		switch {
		case n != name:
		case !found:
			value, found = x, true
		default:
			value += "," + x
		}
	})
	if !found {
		return nil
	}
	return str(value)
}

func allQuery(v *view) *ast.Term {
	var names []string
	values := map[string]string{}
	eachParameter(v.ex, func(n, x string) {
		if old, ok := values[n]; ok {
			x = old + "," + x
		} else {
			names = append(names, n)
		}
		values[n] = x
	})
	var o fields
	for _, n := range names {
		o.add(str(n), str(values[n]))
	}
	return o.term()
}

func detectorNames() []string {
	names := make([]string, 0, scoring.Detectors)
	for d := range scoring.Detectors {
		names = append(names, scoring.Detector(d).String())
	}
	return names
}

// detectorScore is the highest score of one detector; absent where it found
// nothing.
func detectorScore(v *view, name string) *ast.Term {
	best := -1.0
	for i := range v.a.Evidence {
		if e := &v.a.Evidence[i]; e.Detector.String() == name {
			best = max(best, e.Score)
		}
	}
	if best < 0 {
		return nil
	}
	return number(best)
}

func allDetectors(v *view) *ast.Term {
	var o fields
	for d := range scoring.Detectors {
		name := scoring.Detector(d).String()
		if score := detectorScore(v, name); score != nil {
			o.add(str(name), score)
		}
	}
	return o.term()
}

func allEvidence(v *view) *ast.Term {
	terms := make([]*ast.Term, 0, len(v.a.Evidence))
	for i := range v.a.Evidence {
		f := policy.Explain(&v.a.Evidence[i])
		var o fields
		o.add(str("detector"), str(f.Detector))
		o.add(str("score"), number(f.Score))
		o.add(str("observed"), number(f.Observed))
		o.add(str("expected"), number(f.Expected))
		o.add(str("unit"), str(f.Unit))
		o.add(str("window"), str(f.Window))
		o.add(str("entity"), str(f.Entity))
		o.add(str("summary"), str(f.Summary))
		o.add(str("attack"), str(f.Attack))
		o.add(str("owasp"), str(f.OWASP))
		terms = append(terms, o.term())
	}
	return ast.ArrayTerm(terms...)
}
