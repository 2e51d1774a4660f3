// Package envoy is wonted's way into Envoy: it renders the configuration that
// puts wonted beside a proxy, and finds, starts and stops a real Envoy for the
// demo, the benchmarks and the integration tests that live here.
//
// Start reading at [Options], [Depth] and [Bootstrap]. [Istio] and [EnvoyGateway]
// render the same for an Envoy that a control plane configures: the pieces are
// those of the bootstrap, and what differs is who has a field for them. filter.go,
// grpclog.go and blocks.go hold the few lines of Envoy configuration that wonted depends on,
// each with the reason, and the same reasons are printed as comments into the
// YAML that people receive. The *_test.go files prove, on the real binary, every fact
// about Envoy that the rest of the program relies on, so that the next release
// of Envoy is caught.
//
// # Releases of Envoy
//
// The tests of this package pass on the last patches of 1.37, 1.38, 1.39 and 1.40
// (make test-envoys), with the same rendered configuration. What differs:
//
//   - 1.39 (1.39.3) keeps the headers of a response that wonted looks at, at the
//     depths headers and bodies and, where it asks for the response, at adaptive,
//     until the first of the response's body has come. Event streams and long
//     polls that begin with nothing but headers are late by that; an upstream that
//     breaks off in between is answered for by Envoy, with 502 or 503. Lean and
//     log are not affected, nor are 1.37, 1.38 and 1.40.
//
// Older releases are neither tested nor accepted by .ci/envoy. wonted itself does
// not ask for Envoy's version: what an Envoy fails to do shows in /readyz, as
// mode_override, access_log or attributes.
//
// An Envoy whose clusters come from a control plane takes the list of blocks only
// by Google's gRPC client or from a file, in each of these releases: a cluster for
// discovery must be part of the bootstrap.
//
// It may import go-control-plane (messages are typed, validated, then
// rendered; no text templates) and no other package of wonted.
package envoy
