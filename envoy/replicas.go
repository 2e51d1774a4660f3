package envoy

import (
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// Several wonted share the callers out, since they do not share profiles: a
// ring of hashes sends all requests of one caller to the same. What is hashed
// travels as gRPC metadata, where no client can write.
//
// The access log is one stream a worker, of all callers, and cannot be shared
// out like that: an entry would reach a wonted that never saw its exchange.
// Hence the depths without one.
const (
	affinityKey     = "x-wonted-affinity"
	affinityAddress = "x-wonted-address"
)

// shareOut makes a ring of wonted's cluster.
func shareOut(c *clusterv3.Cluster, opts Options) {
	c.LbPolicy = clusterv3.Cluster_RING_HASH
	by := func(key string) *routev3.RouteAction_HashPolicy {
		return &routev3.RouteAction_HashPolicy{
			PolicySpecifier: &routev3.RouteAction_HashPolicy_Header_{
				Header: &routev3.RouteAction_HashPolicy_Header{HeaderName: key},
			},
			Terminal: true, // the address counts only where there is no key
		}
	}
	http2 := http2Options()
	http2.HashPolicy = []*routev3.RouteAction_HashPolicy{by(affinityKey), by(affinityAddress)}
	c.TypedExtensionProtocolOptions = protocol(http2)
	endpoints := c.LoadAssignment.Endpoints[0]
	for _, address := range opts.Replicas {
		endpoints.LbEndpoints = append(endpoints.LbEndpoints, endpoint(address))
	}
}

// affinity is the metadata that shareOut's ring hashes. Of a header that a
// request does not have, Envoy sends nothing.
func affinity(opts Options) []*corev3.HeaderValue {
	return []*corev3.HeaderValue{
		{Key: affinityKey, Value: "%REQ(" + opts.Affinity + ")%"},
		{Key: affinityAddress, Value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"},
	}
}
