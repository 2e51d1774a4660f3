package rego

import (
	"math"
	"net/netip"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
	"github.com/wonted-project/wonted/scoring/profile"
)

// field is one name of the input document.
type field struct {
	name   string
	about  string // for an author: what it is, its unit, when it is absent
	source source
	few    bool                     // it has few values: the memo may tell exchanges apart by them
	fields []field                  // an object of these fields
	absent func(v *view) bool       // an object that is not there yet
	entry  func(name string) source // an object of free names: where the value of one comes from
	names  []string                 // the names that entry knows; nil: any
	elem   []field                  // an array of objects of these fields
	index  func(i int) source       // an array of values: where one comes from
	domain
}

// domain is what a value can be at all, beyond its type. A comparison that asks
// for something else is never true.
type domain struct {
	words []string // one of these; nil: any
	most  float64  // the largest number; 0: any. None is below 0
	form  string   // a regular expression that every value matches, with
	such  string   // an example
}

// schema is the input document, version 1. What is not known is absent, and so
// undefined in a policy, rather than a number that lies. schema/input/schema.json
// is made of it, for editors and `opa check`.
//
// Few is said of what has some hundred values at most in honest traffic. Where
// a client can invent more, it only costs a client's own requests an
// evaluation: the memo is bounded (memo.go).
var schema = []field{
	{name: "version", about: "of this document: 1", source: fixed{ast.InternedTerm(1)}},
	{name: "phase", about: "how much of the exchange is known: the request's headers, the response's, or its body as far as it has passed", few: true,
		source: word(func(v *view) string { return v.in.Phase.String() }), domain: domain{words: []string{"request", "response", "body"}}},
	{name: "mode", about: "shadow: nothing is done, only recorded", few: true,
		source: word(func(v *view) string { return v.in.Mode.String() }), domain: domain{words: []string{"shadow", "enforce"}}},
	{name: "time", about: "of the decision, in the configured time zone", fields: []field{
		{name: "unix", about: "seconds since 1970", source: count(func(v *view) (int64, bool) { return v.in.Now.Unix(), true })},
		{name: "hour", about: "0 to 23", few: true, source: count(func(v *view) (int64, bool) { return int64(v.in.Now.Hour()), true }), domain: domain{most: 23}},
		{name: "weekday", about: "as OPA's own time.weekday", few: true,
			source: word(func(v *view) string { return v.in.Now.Weekday().String() }), domain: domain{words: []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}}},
	}},
	{name: "request", fields: requestFields},
	{name: "response", about: "absent in the phase \"request\"", absent: func(v *view) bool { return v.in.Phase == policy.PhaseRequest }, fields: responseFields},
	{name: "identity", about: "the caller; where there is none, the nearest to one: credential, session, user, address", fields: identityFields},
	{name: "source", about: "where the request comes from", fields: []field{
		{name: "address", about: "IPv4 or IPv6, for net.cidr_contains", source: place(func(v *view) netip.Addr { return v.ex.Address.Unmap() })},
		{name: "network", about: "the address's /24 or /48, as in \"192.0.2.0/24\"", source: text(network)},
		{name: "asn", about: "not known in this version, and absent", source: unknownNumber}, {name: "as_org", about: "not known in this version, and absent", source: nowhere},
		{name: "country", about: "two letters; absent where nothing gives one", few: true, source: text(func(v *view) ([]byte, bool) { return filled(v.ex.Country) })},
	}},
	{name: "device", about: "what the client looks like", fields: []field{
		{name: "id", about: "a keyed hash; absent where there is no device", source: text(func(v *view) ([]byte, bool) { return hash(v, &v.ex.Entities[profile.KindDevice]) })},
		{name: "ja4", about: "the fingerprint of its TLS; absent where Envoy gives none", source: text(func(v *view) ([]byte, bool) { return filled(v.ex.JA4) })},
		{name: "user_agent", about: "the header of that name; absent without one", source: headerValue("user-agent")},
		{name: "known", about: "this caller has come from it before", source: flag(func(v *view) bool { return v.a.Known })},
	}},
	{name: "score", about: "how unusual: one in 10^score windows of its peers looks this odd, 0 to 12", source: decimal(func(v *view) float64 { return v.a.Score }), domain: domain{most: 12}},
	{name: "score_version", about: "what scores mean; it grows when a score of old means something else", source: fixed{ast.InternedTerm(scoring.ScoreVersion)}},
	{name: "threshold", about: "where the alert budget stands; above 12 nothing is anomalous", source: decimal(func(v *view) float64 { return v.a.Threshold })},
	{name: "anomalous", about: "the score has reached the threshold", source: flag(func(v *view) bool { return v.a.Anomalous })},
	{name: "severity", about: "the score in words, by its distance from the threshold: low from one below, medium from the threshold, high from two above, critical from four above", few: true,
		source: word(func(v *view) string { return Severity(v.a) }), domain: domain{words: []string{"none", "low", "medium", "high", "critical"}}},
	{name: "detectors", about: "the highest score of each detector that found something, 0 to 12", source: tree(allDetectors), entry: detectorScore, names: detectorNames(), domain: domain{most: 12}},
	{name: "strongest", about: "the detector of the first evidence: of what counts, that which tells most; absent without evidence", few: true, source: text(strongest), domain: domain{words: detectorNames()}},
	{name: "evidence", about: "what was found; of what is certain that comes first which tells most, then what is rarest", source: tree(allEvidence), elem: evidenceFields},
	{name: "intel", about: "no feed is connected in this version: empty", source: fixed{ast.ArrayTerm()}},
	{name: "quarantine", about: "what the request's entities are under: in shadow mode all, else what is only watched, since the rest is refused before a policy is asked", source: tree(allBlocks), elem: blockFields},
	{name: "degraded", about: "parts of wonted that are not at their best", few: true, source: words(func(v *view) []string { return v.in.Degraded })},
}

var requestFields = []field{
	{name: "id", about: "random, 32 hex digits", source: text(exchangeID)},
	{name: "method", about: "as sent: \"GET\"", few: true, source: text(func(v *view) ([]byte, bool) { return v.ex.Method, true })},
	{name: "scheme", few: true, source: text(func(v *view) ([]byte, bool) { return v.ex.Scheme, true })},
	{name: "host", source: text(func(v *view) ([]byte, bool) { return v.ex.Host, true })},
	{name: "path", about: "without the query, as sent", source: text(func(v *view) ([]byte, bool) { p, _ := split(v.ex); return p, true })},
	{name: "route", about: "method and template: \"GET /v1/orders/{id}\"", few: true,
		source: word(func(v *view) string { return v.ex.Route.Name }), domain: domain{form: "^([^ ]+ .*)?$", such: "GET /v1/orders/{id}"}},
	{name: "operation", about: "of GraphQL, JSON-RPC, MCP or gRPC; absent elsewhere", few: true, source: text(operation)},
	{name: "segments", about: "of the path, decoded", source: tree(segments), index: segment},
	{name: "query", about: "decoded; values of one name are joined by a comma", source: tree(allQuery), entry: queryValue},
	{name: "headers", about: "names in lower case; values of one name are joined by a comma; credentials are there", source: tree(allHeaders), entry: headerValue},
	{name: "size", about: "bytes, as declared; absent if not", source: count(func(v *view) (int64, bool) { return known(v.ex.RequestBytes, 0) })},
	{name: "protocol", about: "\"HTTP/1.1\", \"HTTP/2\"", few: true, source: text(func(v *view) ([]byte, bool) { return v.ex.Protocol, true })},
	{name: "content_type", about: "in lower case, without parameters; absent if there is none", source: text(contentType)},
}

var responseFields = []field{
	{name: "status", few: true, source: count(func(v *view) (int64, bool) { return known(int64(v.ex.Status), 1) }), domain: domain{most: 999}},
	{name: "size", about: "bytes: as declared, then as they pass; absent while not known", source: count(func(v *view) (int64, bool) { return known(v.ex.ResponseBytes, 0) })},
	{name: "records", about: "as they pass; absent while none are counted", source: count(func(v *view) (int64, bool) { return known(v.ex.Records, 0) })},
	{name: "duration_ms", about: "since the request, so far", source: count(func(v *view) (int64, bool) { return known(v.in.Now.Sub(v.ex.Time).Milliseconds(), 0) })},
}

var identityFields = []field{
	{name: "kind", about: "absent where nobody is known", few: true, source: text(identityKind), domain: domain{words: []string{"caller", "credential", "session", "user", "address", "network", "device"}}},
	{name: "id", about: "a keyed hash, 32 hex digits", source: text(func(v *view) ([]byte, bool) { return hash(v, v.who) })},
	{name: "name", about: "\"\" where no name is configured", source: text(func(v *view) ([]byte, bool) { return v.who.Name, true })},
	{name: "verified", about: "Envoy has verified whom it names", source: flag(func(v *view) bool { return v.who.Verified })},
	{name: "contested", about: "one header of an identity rule had several values", source: flag(func(v *view) bool { return v.ex.Contested })},
	{name: "acr", about: "how its user has signed in: the claim acr of the token that Envoy has verified; absent without one, or where several tokens disagree", few: true, source: text(func(v *view) ([]byte, bool) { return filled(v.ex.ACR) })},
	{name: "auth_age", about: "seconds since its user has signed in, by the token's claim auth_time, of several tokens the oldest; absent where one has none", source: count(authAge)},
	{name: "cohort", about: "whose peers it is judged among: \"new\", \"person\", \"poller\", \"batch\", \"bursty\", \"service\" or a configured name; absent where there is no caller", few: true, source: text(cohort)},
	{name: "age_s", about: "seconds since it was first seen", source: count(func(v *view) (int64, bool) { return int64(v.a.Age.Seconds()), true })},
	{name: "requests", about: "that were accepted so far", source: count(func(v *view) (int64, bool) { return int64(v.a.Requests), true })},
	{name: "mature", about: "enough is known of it to be sure of what is usual", source: flag(func(v *view) bool { return v.a.Mature })},
	{name: "confidence", about: "how much of what is expected of it is its own history, 0 to 1", source: decimal(func(v *view) float64 { return v.a.Confidence }), domain: domain{most: 1}},
	{name: "risk", about: "how it has been: the sum of the evidence of its windows of ten minutes before this request, half of it gone in a day; 1 is about what an honest caller collects who is there all day, 4 one window that scored 6; absent where there is no caller", source: decimal(risk)},
}

// evidenceFields are built by allEvidence.
var evidenceFields = []field{
	{name: "detector", source: nowhere, domain: domain{words: detectorNames()}},
	{name: "score", source: unknownNumber, domain: domain{most: 12}},
	{name: "observed", about: "in unit", source: unknownNumber},
	{name: "expected", about: "in unit: what is usual for the entity", source: unknownNumber},
	{name: "unit", source: nowhere},
	{name: "window", about: "\"10m\"; \"\" where it is this exchange alone", source: nowhere},
	{name: "entity", about: "whose profile: \"caller\", \"address\"", source: nowhere},
	{name: "summary", about: "in plain words", source: nowhere},
	{name: "attack", about: "what such evidence is a sign of", source: nowhere},
	{name: "owasp", about: "its entry of the OWASP API Security Top 10 (2023)", source: nowhere},
}

// blockFields are built by allBlocks.
var blockFields = []field{
	{name: "id", about: "by which wonted quarantine release ends it", source: nowhere},
	{name: "entity", source: nowhere, domain: domain{words: policy.Quarantinable}},
	{name: "since", about: "seconds since 1970", source: unknownNumber},
	{name: "until", about: "seconds since 1970", source: unknownNumber},
	{name: "rung", about: "the how-manieth in short succession, from 1", source: unknownNumber},
	{name: "reason", source: nowhere},
	{name: "author", about: "\"policy\", or an operator", source: nowhere},
	{name: "shadow", about: "it is watched, and not enforced", source: flag(func(*view) bool { return false })},
}

// Fields of the contract without a source of their own, a string and a number.
var (
	nowhere       = text(func(*view) ([]byte, bool) { return nil, false })
	unknownNumber = decimal(func(*view) float64 { return math.NaN() })
)
