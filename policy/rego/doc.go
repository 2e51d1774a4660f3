// Package rego decides with embedded OPA: it implements policy.Decider with
// rules that authors write in package wonted.policy (Rego v1).
//
// The contract, version 1. Every rule is a set:
//
//	deny, challenge, throttle          "reason" or {"reason", "status", "rule", "shadow", "rollout", "cohorts"},
//	                                   challenge with {"realm", "acr_values", "max_age", "redirect"},
//	                                   throttle with {"retry_after", "quota", "window"}
//	allow                              "reason" or {"reason"}
//	response_budget                    {"records": n}, {"bytes": n}, {"usual": times}
//	inspect                            "reason" or true: see the body
//	severity                           "low", "medium", "high", "critical"; "none" says nothing
//	request_headers, response_headers  {"name", "value"}, with "for": an action, to rank it
//	remove_request_headers, remove_response_headers   "name"
//	metadata                           {"key", "value"}, with "for" likewise
//	quarantine                         {"entity"}, {"entity", "ttl"}
//
// "rule" is what the rule is called (stage.go); "shadow", "rollout" (percent of
// identities) and "cohorts" say for whom it is in force, and the operator's
// setting of that rule beats them. policy.Rules.Combine says what happens when
// many fire, and the Gate who of them is in force for the exchange. What they may read is
// the table in schema.go. Both are published as JSON Schemas, under
// starter/schema. A request that signs somebody in is decided on twice in
// the phase "request": at its headers, and when its body has said who that is,
// from when on input.detectors.stuffing may be there. By then the headers have
// gone to the upstream, so that request_headers of the second time do nothing.
//
// An Engine is immutable: a compiled policy, its data, and the plan of what it
// reads of an exchange. Only that is built, straight as OPA's own values: no
// JSON is written or read for a decision. Builtins that reach outside or
// answer differently each time are gone (capabilities.go), so that a decision
// depends on its input and data alone and nothing in the request path waits.
//
// A policy that loops or grows what it computes is ended at the deadline, which is
// looked at between OPA's steps, and has allocated some 100 MiB by then. What one
// step could blow up without end is not begun: values that hold one another too
// often are refused when the policy is loaded (growth.go), and builtins that write
// values out, or shift bits, measure before (writing.go). Such a decision fails, as
// one that is not made in time. Not bounded within a step are comparisons of large
// values that are equal, the loops of strings.render_template and the paths of
// graph.reachable_paths.
//
// # What is remembered
//
// Evaluating ten rules takes OPA some 20 µs; most exchanges are like one before
// in all that the rules can tell. So an Engine remembers its decisions (memo.go)
// under a key of what they can depend on, and Recall finds one in a fraction of
// a microsecond without allocating. When a policy is loaded, analysis.go reads
// the rules as the compiler has rewritten them and makes the key (key.go) of
//
//   - atoms (atom.go): how a value of input compares with a constant, by == != <
//     <= > >=, in, startswith, endswith, contains, regex.match, for the address
//     net.cidr_contains, as a condition on its own, or as a name in a set or
//     object of constants. A constant is a literal, a data file's value, a rule
//     that is nothing but a value, or each of a few of these in turn (some x in
//     …). A detector's score may be compared with the threshold, and detectors
//     may be iterated over.
//   - whole values, where a rule uses one in any other way and it is one of few:
//     flags, phase, mode, hour, weekday, method, scheme, protocol, route, kind,
//     cohort, severity, strongest, country, status, degraded (`few` in schema.go).
//
// Any other use of input makes the policy one that is evaluated for every
// request, and Unmemoised says which lines are the reason. For an author that
// means: compare paths, headers, ids, addresses and scores with constants rather
// than passing them to functions or putting them into reasons and headers; name
// a segment or a header rather than iterate; ask input.detectors, not
// input.evidence; leave `with` to tests. An Engine is immutable, so a changed
// policy or data file begins with nothing remembered.
//
// # Bundles
//
// A policy may come as an OPA bundle from a server (Bundle), by OPA's bundle
// plugin. It is made an Engine like a directory is, and anything that cannot be
// one never replaces what can: what does not compile, breaks the contract or
// uses a builtin that is not there; what is no bundle, unpacks to too much, is
// signed by somebody else or not at all where that is asked for; and what is
// older, where both manifests name whole numbers as revisions (`opa build
// --revision 42`). Other revisions have no order, so that a server may go back to
// one. Redirects are followed, but not out of TLS, and the token stays with the
// host that it is for. The last good bundle is kept on disk, and its signature is
// verified there as well; what a power cut has left of it is passed over.
//
// # Decision logs
//
// A DecisionLog writes decisions as OPA does (decision log events, version 1), by
// OPA's plugin: input is the document as policies saw it when the decision was
// made; result is the decision as wonted policy eval writes it; both are masked, as
// are reasons and failures in custom. custom.masked has the JSON pointers of what
// was masked, custom.mode and custom.class say whether it was carried out and what
// the client was told. An exchange is logged when it is decided on, and again,
// under the same decision_id, when it becomes worse.
//
// Only this package imports OPA. It imports policy and scoring. Start with
// engine.go; then input.go for the way in, decode.go for the way out, load.go
// and check.go for what authors are told, watch.go for reloading, bundle.go for
// policies that a server hands out, decisionlog.go for what is told of decisions; analysis.go
// and memo.go for what is remembered. `wonted policy` is review.go (check),
// runner.go (test), trial.go (eval) and starter.go (init); starter holds what
// authors begin with, and starter/wonted/combine.rego is the library for `opa
// test`. default.rego is the policy of a wonted that was given none.
package rego
