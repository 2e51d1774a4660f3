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
// It may import go-control-plane (messages are typed, validated, then
// rendered; no text templates) and no other package of wonted.
package envoy
