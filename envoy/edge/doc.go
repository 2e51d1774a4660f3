// Package edge has Envoy itself refuse the addresses and networks that are in
// quarantine, so that their requests cost wonted nothing and stay refused while
// wonted is away. It keeps the configuration of one filter of Envoy's, the one
// that package envoy renders as [envoy.BlocksName], in step with a [Source].
//
// Start reading at publisher.go. guard.go says what is never handed to Envoy,
// filter.go what Envoy is told; it gets it by xDS (xds.go) or from a file that
// it watches (file.go). Nothing is told before [Publisher.Run], which is for
// when the source knows what was in force before: an empty list would release
// everybody.
//
// It may import envoy, for the filter's name, and go-control-plane.
package edge
