package rego

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// field is one name of the input document.
type field struct {
	name   string
	source source
	few    bool                     // it has few values: the memo may tell exchanges apart by them
	fields []field                  // an object of these fields
	absent func(v *view) bool       // an object that is not there yet
	entry  func(name string) source // an object of free names: where the value of one comes from
	names  []string                 // the names that entry knows; nil: any
	elem   []string                 // an array of objects with these names
	index  func(i int) source       // an array of values: where one comes from
}

// schema is the input document, version 1. What is not known is absent, and so
// undefined in a policy, rather than a number that lies.
//
// Few is said of what has some hundred values at most in honest traffic. Where
// a client can invent more, it only costs a client's own requests an
// evaluation: the memo is bounded (memo.go).
var schema = []field{
	{name: "version", source: fixed{ast.InternedTerm(1)}},
	{name: "phase", few: true, source: word(func(v *view) string { return v.in.Phase.String() })},
	{name: "mode", few: true, source: word(func(v *view) string { return v.in.Mode.String() })},
	{name: "time", fields: []field{ // of the decision, in the configured time zone
		{name: "unix", source: count(func(v *view) (int64, bool) { return v.in.Now.Unix(), true })},
		{name: "hour", few: true, source: count(func(v *view) (int64, bool) { return int64(v.in.Now.Hour()), true })},
		{name: "weekday", few: true, source: word(func(v *view) string { return v.in.Now.Weekday().String() })}, // "Monday", as OPA's own time.weekday
	}},
	{name: "request", fields: requestFields},
	{name: "response", absent: func(v *view) bool { return v.in.Phase == policy.PhaseRequest }, fields: []field{
		{name: "status", few: true, source: count(func(v *view) (int64, bool) { return known(int64(v.ex.Status), 1) })},
		{name: "size", source: count(func(v *view) (int64, bool) { return known(v.ex.ResponseBytes, 0) })},                            // declared, then metered
		{name: "records", source: count(func(v *view) (int64, bool) { return known(v.ex.Records, 0) })},                               // metered
		{name: "duration_ms", source: count(func(v *view) (int64, bool) { return known(v.in.Now.Sub(v.ex.Time).Milliseconds(), 0) })}, // so far
	}},
	{name: "identity", fields: identityFields},
	{name: "source", fields: []field{
		{name: "address", source: place(func(v *view) netip.Addr { return v.ex.Address.Unmap() })},
		{name: "network", source: text(network)}, // its /24 or /48
		{name: "asn", source: nowhere}, {name: "as_org", source: nowhere},
		{name: "country", few: true, source: text(func(v *view) ([]byte, bool) { return filled(v.ex.Country) })}, // two letters
	}},
	{name: "device", fields: []field{
		{name: "id", source: text(func(v *view) ([]byte, bool) { return hash(v, &v.ex.Entities[profile.KindDevice]) })},
		{name: "ja4", source: text(func(v *view) ([]byte, bool) { return filled(v.ex.JA4) })},
		{name: "user_agent", source: headerValue("user-agent")},
		{name: "known", source: flag(func(v *view) bool { return v.a.Known })},
	}},
	{name: "score", source: decimal(func(v *view) float64 { return v.a.Score })},
	{name: "threshold", source: decimal(func(v *view) float64 { return v.a.Threshold })},
	{name: "anomalous", source: flag(func(v *view) bool { return v.a.Anomalous })},
	{name: "severity", few: true, source: word(func(v *view) string { return Severity(v.a) })},
	{name: "detectors", source: tree(allDetectors), entry: detectorScore, names: detectorNames()},
	{name: "strongest", few: true, source: text(strongest)}, // the detector of the first of the evidence: what counts most
	{name: "evidence", source: tree(allEvidence), elem: []string{"detector", "score", "observed", "expected", "unit", "window", "entity", "summary", "attack", "owasp"}},
	{name: "intel", source: fixed{ast.ArrayTerm()}},      // no feed is connected in this version
	{name: "quarantine", source: fixed{ast.ArrayTerm()}}, // no quarantine is kept in this version
	{name: "degraded", few: true, source: words(func(v *view) []string { return v.in.Degraded })},
}

var requestFields = []field{
	{name: "id", source: text(exchangeID)},
	{name: "method", few: true, source: text(func(v *view) ([]byte, bool) { return v.ex.Method, true })},
	{name: "scheme", few: true, source: text(func(v *view) ([]byte, bool) { return v.ex.Scheme, true })},
	{name: "host", source: text(func(v *view) ([]byte, bool) { return v.ex.Host, true })},
	{name: "path", source: text(func(v *view) ([]byte, bool) { p, _ := split(v.ex); return p, true })}, // without query, as sent
	{name: "route", few: true, source: word(func(v *view) string { return v.ex.Route.Name })},
	{name: "operation", few: true, source: text(operation)}, // GraphQL, JSON-RPC, MCP, gRPC: see route.Match
	{name: "segments", source: tree(segments), index: segment},
	{name: "query", source: tree(allQuery), entry: queryValue},
	{name: "headers", source: tree(allHeaders), entry: headerValue},
	{name: "size", source: count(func(v *view) (int64, bool) { return known(v.ex.RequestBytes, 0) })},
	{name: "protocol", few: true, source: text(func(v *view) ([]byte, bool) { return v.ex.Protocol, true })},
	{name: "content_type", source: text(contentType)}, // lower case, without parameters
}

var identityFields = []field{ // of the principal: the caller, else the nearest entity to one
	{name: "kind", few: true, source: text(identityKind)},
	{name: "id", source: text(func(v *view) ([]byte, bool) { return hash(v, v.who) })},
	{name: "name", source: text(func(v *view) ([]byte, bool) { return v.who.Name, true })}, // "" where none is configured
	{name: "verified", source: flag(func(v *view) bool { return v.who.Verified })},
	{name: "contested", source: flag(func(v *view) bool { return v.ex.Contested })}, // one header of an identity rule had several values
	{name: "cohort", few: true, source: text(cohort)},                               // whose peers it is judged among: "person"
	{name: "age_s", source: count(func(v *view) (int64, bool) { return int64(v.a.Age.Seconds()), true })},
	{name: "requests", source: count(func(v *view) (int64, bool) { return int64(v.a.Requests), true })},
	{name: "mature", source: flag(func(v *view) bool { return v.a.Mature })},
	{name: "confidence", source: decimal(func(v *view) float64 { return v.a.Confidence })}, // 0 to 1: how much of what is expected is its own history
	{name: "risk", source: nowhere},                                                        // not computed in this version
}

// nowhere is a field of the contract without a source yet.
var nowhere = fixed{}

func operation(v *view) ([]byte, bool) {
	v.scratch = append(v.scratch[:0], v.ex.Route.Operation...)
	return filled(v.scratch)
}

// filled is absent when empty.
func filled(b []byte) ([]byte, bool) { return b, len(b) > 0 }

// known is absent below least: not known, or not yet.
func known(n, least int64) (int64, bool) { return n, n >= least }

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

func identityKind(v *view) ([]byte, bool) {
	v.scratch = append(v.scratch[:0], v.who.Kind.String()...)
	return filled(v.scratch)
}

func cohort(v *view) ([]byte, bool) {
	v.scratch = append(v.scratch[:0], v.a.Cohort...)
	return filled(v.scratch)
}

func exchangeID(v *view) ([]byte, bool) {
	v.scratch = hex.AppendEncode(v.scratch[:0], v.ex.ID[:])
	return v.scratch, true
}

// hash writes a key as policy.Hash does.
func hash(v *view, id *scoring.Identity) ([]byte, bool) {
	if id.Key == (profile.Key{}) {
		return nil, false
	}
	var k [16]byte
	binary.BigEndian.PutUint64(k[:8], id.Key.Hi)
	binary.BigEndian.PutUint64(k[8:], id.Key.Lo)
	v.scratch = hex.AppendEncode(v.scratch[:0], k[:])
	return v.scratch, true
}

func network(v *view) ([]byte, bool) {
	a := v.ex.Address.Unmap().WithZone("")
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits)
	if !p.IsValid() {
		return nil, false
	}
	v.scratch = p.AppendTo(v.scratch[:0])
	return v.scratch, true
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

// segment is one of them, decoded as segments does.
func segment(i int) source {
	return text(func(v *view) ([]byte, bool) {
		path, _ := split(v.ex)
		for n := 0; len(path) > 0 && n < maxParts; {
			var s []byte
			s, path, _ = bytes.Cut(path, []byte("/"))
			if len(s) == 0 {
				continue
			}
			if n == i {
				v.scratch = appendDecoded(v.scratch[:0], s, false)
				return v.scratch, true
			}
			n++
		}
		return nil, false
	})
}

func contentType(v *view) ([]byte, bool) {
	value, ok := header(v, "content-type")
	if !ok {
		return nil, false
	}
	media, _, _ := bytes.Cut(value, []byte(";"))
	media = bytes.TrimSpace(media)
	if bytes.IndexFunc(media, func(r rune) bool { return r >= utf8.RuneSelf || r >= 'A' && r <= 'Z' }) >= 0 {
		media = bytes.ToLower(media) // the one text that may allocate: hardly a client writes it so
	}
	return media, true
}
