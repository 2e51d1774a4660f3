package rego

import (
	"bytes"
	"encoding/hex"
	"math"
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
func header(v *view, name string) (value []byte, ok bool) {
	joined := false
	for i := range v.ex.Headers {
		h := &v.ex.Headers[i]
		switch {
		case string(h.Name) != name:
		case !ok:
			value, ok = h.Value, true
		default:
			if !joined {
				value, joined = append(v.scratch[:0], value...), true
			}
			value = append(append(value, ','), h.Value...)
			v.scratch = value
		}
	}
	return value, ok
}

func headerValue(name string) source {
	return text(func(v *view) ([]byte, bool) { return header(v, name) })
}

func allHeaders(v *view) *ast.Term {
	var o fields
	for i, h := range v.ex.Headers {
		if len(h.Name) == 0 || h.Name[0] == ':' || seen(v.ex.Headers[:i], h.Name) {
			continue
		}
		name := string(h.Name)
		o.add(str(name), headerValue(name).term(v))
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

func queryValue(name string) source {
	return text(func(v *view) ([]byte, bool) { return parameter(v, name) })
}

// parameter joins the decoded values of one name, as allQuery does, without
// making the others.
func parameter(v *view, name string) (value []byte, ok bool) {
	_, query := split(v.ex)
	out := v.scratch[:0]
	for n := 0; len(query) > 0; {
		var part []byte
		part, query, _ = bytes.Cut(query, []byte("&"))
		if len(part) == 0 {
			continue
		}
		if n++; n > maxParts {
			break
		}
		key, raw, _ := bytes.Cut(part, []byte("="))
		end := len(out)
		out = appendDecoded(out, key, true)
		if string(out[end:]) != name {
			out = out[:end]
			continue
		}
		out = out[:end]
		if ok {
			out = append(out, ',')
		}
		out, ok = appendDecoded(out, raw, true), true
	}
	v.scratch = out
	return out, ok
}

// appendDecoded decodes what url.QueryUnescape does, or without plus
// url.PathUnescape; where they cannot, it is s as sent.
func appendDecoded(to, s []byte, plus bool) []byte {
	begin := len(to)
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+' && plus:
			to = append(to, ' ')
		case s[i] == '%':
			if i+2 >= len(s) {
				return append(to[:begin], s...)
			}
			var err error
			if to, err = hex.AppendDecode(to, s[i+1:i+3]); err != nil {
				return append(to[:begin], s...)
			}
			i += 2
		default:
			to = append(to, s[i])
		}
	}
	return to
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
func detectorScore(name string) source {
	for d := range scoring.Detectors {
		if d := scoring.Detector(d); d.String() == name {
			return decimal(func(v *view) float64 { return highest(v, d) })
		}
	}
	return unknownNumber
}

// highest is no number where there is none.
func highest(v *view, d scoring.Detector) float64 {
	best := -1.0
	for i := range v.a.Evidence {
		if e := &v.a.Evidence[i]; e.Detector == d {
			best = max(best, e.Score)
		}
	}
	if best < 0 {
		return math.NaN()
	}
	return best
}

func allDetectors(v *view) *ast.Term {
	var o fields
	for d := range scoring.Detectors {
		d := scoring.Detector(d)
		o.add(str(d.String()), number(highest(v, d)))
	}
	return o.term()
}

// strongest is absent where there is no evidence.
func strongest(v *view) ([]byte, bool) {
	if len(v.a.Evidence) == 0 {
		return nil, false
	}
	v.scratch = append(v.scratch[:0], v.a.Evidence[0].Detector.String()...)
	return v.scratch, true
}

func allBlocks(v *view) *ast.Term {
	terms := make([]*ast.Term, 0, len(v.in.Held))
	for _, b := range v.in.Held {
		var o fields
		o.add(str("id"), str(b.ID))
		o.add(str("entity"), str(b.Entity))
		o.add(str("since"), integer(b.Since.Unix()))
		o.add(str("until"), integer(b.Until.Unix()))
		o.add(str("rung"), integer(int64(b.Rung)))
		o.add(str("reason"), str(b.Reason))
		o.add(str("author"), str(b.Author))
		o.add(str("shadow"), ast.InternedTerm(b.Shadow))
		terms = append(terms, o.term())
	}
	return ast.ArrayTerm(terms...)
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
