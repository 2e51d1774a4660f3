package rego

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// field is one name of the input document.
type field struct {
	name   string
	fields []field                             // an object of these fields
	entry  func(v *view, key string) *ast.Term // an object of free names: the value of one
	names  []string                            // the names that entry knows; nil: any
	elem   []string                            // an array of objects with these names
	value  func(v *view) *ast.Term             // the whole; nil where fields make it
	absent func(v *view) bool                  // an object that is not there yet
}

// schema is the input document, version 1. What is not known is absent, and so
// undefined in a policy, rather than a number that lies.
var schema = []field{
	{name: "version", value: func(*view) *ast.Term { return ast.InternedTerm(1) }},
	{name: "phase", value: func(v *view) *ast.Term { return str(v.in.Phase.String()) }},
	{name: "mode", value: func(v *view) *ast.Term { return str(v.in.Mode.String()) }},
	{name: "time", fields: []field{ // of the decision, in the configured time zone
		{name: "unix", value: func(v *view) *ast.Term { return integer(v.in.Now.Unix()) }},
		{name: "hour", value: func(v *view) *ast.Term { return ast.InternedTerm(v.in.Now.Hour()) }},
		{name: "weekday", value: func(v *view) *ast.Term { return str(v.in.Now.Weekday().String()) }}, // "Monday", as OPA's own time.weekday
	}},
	{name: "request", fields: requestFields},
	{name: "response", absent: func(v *view) bool { return v.in.Phase == policy.PhaseRequest }, fields: []field{
		{name: "status", value: func(v *view) *ast.Term { return known(int64(v.ex.Status), 1) }},
		{name: "size", value: func(v *view) *ast.Term { return known(v.ex.ResponseBytes, 0) }},                            // declared, then metered
		{name: "records", value: func(v *view) *ast.Term { return known(v.ex.Records, 0) }},                               // metered
		{name: "duration_ms", value: func(v *view) *ast.Term { return known(v.in.Now.Sub(v.ex.Time).Milliseconds(), 0) }}, // so far
	}},
	{name: "identity", fields: identityFields},
	{name: "source", fields: []field{
		{name: "address", value: func(v *view) *ast.Term { return address(v.ex) }},
		{name: "network", value: func(v *view) *ast.Term { return network(v.ex) }}, // its /24 or /48
		{name: "asn", value: nowhere}, {name: "as_org", value: nowhere},
		{name: "country", value: func(v *view) *ast.Term { return text(v.ex.Country) }}, // two letters
	}},
	{name: "device", fields: []field{
		{name: "id", value: func(v *view) *ast.Term { return hash(&v.ex.Entities[profile.KindDevice]) }},
		{name: "ja4", value: func(v *view) *ast.Term { return text(v.ex.JA4) }},
		{name: "user_agent", value: func(v *view) *ast.Term { return headerValue(v, "user-agent") }},
		{name: "known", value: func(v *view) *ast.Term { return ast.InternedTerm(v.a.Known) }},
	}},
	{name: "score", value: func(v *view) *ast.Term { return number(v.a.Score) }},
	{name: "threshold", value: func(v *view) *ast.Term { return number(v.a.Threshold) }},
	{name: "anomalous", value: func(v *view) *ast.Term { return ast.InternedTerm(v.a.Anomalous) }},
	{name: "severity", value: func(v *view) *ast.Term { return str(Severity(v.a)) }},
	{name: "detectors", value: allDetectors, entry: detectorScore, names: detectorNames()},
	{name: "evidence", value: allEvidence, elem: []string{"detector", "score", "observed", "expected", "unit", "window", "entity", "summary", "attack", "owasp"}},
	{name: "intel", value: empty},      // no feed is connected in this version
	{name: "quarantine", value: empty}, // no quarantine is kept in this version
	{name: "degraded", value: func(v *view) *ast.Term { return strs(v.in.Degraded) }},
}

var requestFields = []field{
	{name: "id", value: func(v *view) *ast.Term { return str(v.ex.ID.String()) }},
	{name: "method", value: func(v *view) *ast.Term { return str(string(v.ex.Method)) }},
	{name: "scheme", value: func(v *view) *ast.Term { return str(string(v.ex.Scheme)) }},
	{name: "host", value: func(v *view) *ast.Term { return str(string(v.ex.Host)) }},
	{name: "path", value: func(v *view) *ast.Term { p, _ := split(v.ex); return str(string(p)) }}, // without query, as sent
	{name: "route", value: func(v *view) *ast.Term { return str(v.ex.Route.Name) }},
	{name: "operation", value: nowhere}, // of GraphQL, JSON-RPC, gRPC: not read in this version
	{name: "segments", value: segments},
	{name: "query", value: allQuery, entry: queryValue},
	{name: "headers", value: allHeaders, entry: headerValue},
	{name: "size", value: func(v *view) *ast.Term { return known(v.ex.RequestBytes, 0) }},
	{name: "protocol", value: func(v *view) *ast.Term { return str(string(v.ex.Protocol)) }},
	{name: "content_type", value: contentType}, // lower case, without parameters
}

var identityFields = []field{ // of the principal: the caller, else the nearest entity to one
	{name: "kind", value: func(v *view) *ast.Term { return text([]byte(v.who.Kind.String())) }},
	{name: "id", value: func(v *view) *ast.Term { return hash(v.who) }},
	{name: "name", value: func(v *view) *ast.Term { return str(string(v.who.Name)) }}, // "" where none is configured
	{name: "verified", value: func(v *view) *ast.Term { return ast.InternedTerm(v.who.Verified) }},
	{name: "contested", value: func(v *view) *ast.Term { return ast.InternedTerm(v.ex.Contested) }}, // one header of an identity rule had several values
	{name: "cohort", value: func(v *view) *ast.Term { return text([]byte(v.who.Kind.String())) }},   // the kind, in this version
	{name: "age_s", value: func(v *view) *ast.Term { return integer(int64(v.a.Age.Seconds())) }},
	{name: "requests", value: func(v *view) *ast.Term { return integer(int64(v.a.Requests)) }},
	{name: "mature", value: func(v *view) *ast.Term { return ast.InternedTerm(v.a.Mature) }},
	{name: "risk", value: nowhere}, // not computed in this version
}

// nowhere is a field of the contract without a source yet.
func nowhere(*view) *ast.Term { return nil }

func empty(*view) *ast.Term { return ast.ArrayTerm() }

// Severity puts a score into words, by its distance from the threshold in
// powers of ten: "none", "low" (within one below), "medium", "high" (from two
// above), "critical" (from four above).
func Severity(a *scoring.Assessment) string {
	switch over := a.Score - a.Threshold; {
	case !a.Anomalous && over < -1:
		return "none"
	case !a.Anomalous:
		return "low"
	case over >= 4:
		return "critical"
	case over >= 2:
		return "high"
	}
	return "medium"
}

func hash(id *scoring.Identity) *ast.Term {
	if id.Key == (profile.Key{}) {
		return nil
	}
	return str(policy.Hash(id.Key))
}

func address(ex *scoring.Exchange) *ast.Term {
	if !ex.Address.IsValid() {
		return nil
	}
	return str(ex.Address.Unmap().String())
}

func network(ex *scoring.Exchange) *ast.Term {
	a := ex.Address.Unmap().WithZone("")
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits)
	if !p.IsValid() {
		return nil
	}
	return str(p.String())
}

func split(ex *scoring.Exchange) (path, query []byte) {
	path, query, _ = bytes.Cut(ex.Path, []byte("?"))
	return path, query
}

// maxParts bounds what a hostile path can make us build.
const maxParts = 256

func segments(v *view) *ast.Term {
	path, _ := split(v.ex)
	var terms []*ast.Term
	for s := range strings.SplitSeq(string(path), "/") {
		if s == "" {
			continue
		}
		if len(terms) == maxParts {
			break
		}
		if u, err := url.PathUnescape(s); err == nil {
			s = u
		}
		terms = append(terms, str(s))
	}
	return ast.ArrayTerm(terms...)
}

func contentType(v *view) *ast.Term {
	value, ok := header(v.ex, "content-type")
	if !ok {
		return nil
	}
	media, _, _ := strings.Cut(value, ";")
	return str(strings.ToLower(strings.TrimSpace(media)))
}
