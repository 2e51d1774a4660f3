// Package rego decides with embedded OPA: it implements policy.Decider with
// rules that authors write in package wonted.policy (Rego v1).
//
// The contract, version 1. Every rule is a set:
//
//	deny, challenge, throttle, allow   "reason" or {"reason", "status", "retry_after", "realm"}
//	response_budget                    {"records": n}, {"bytes": n}, {"usual": times}
//	inspect                            "reason" or true: see the body
//	severity                           "low", "medium", "high", "critical"
//	request_headers, response_headers  {"name", "value"}, with "for": an action, to rank it
//	remove_request_headers, remove_response_headers   "name"
//	quarantine                         {"entity", "ttl"}
//
// policy.Rules.Combine says what happens when many fire. What they may read is
// the table in schema.go.
//
// An Engine is immutable: a compiled policy, its data, and the plan of what it
// reads of an exchange. Only that is built, straight as OPA's own values: no
// JSON is written or read for a decision. Builtins that reach outside or
// answer differently each time are gone (capabilities.go), so that a decision
// depends on its input and data alone and nothing in the request path waits.
//
// Only this package imports OPA. It imports policy and scoring. Start with
// engine.go; then input.go for the way in, decode.go for the way out, load.go
// and check.go for what authors are told, watch.go for reloading. default.rego
// is the policy of a wonted that was given none; wonted/combine.rego is the
// library for `opa test`.
package rego
