package envoy

import (
	"net"
	"strings"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	clusterWonted   = "wonted"
	clusterUpstream = "upstream"
	clusterExtAuthz = "ext_authz"
	httpOptionsType = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

	// manyRequests lifts the circuit breakers of wonted's cluster: Envoy's
	// default of 1,024 would turn the 1,025th request in flight into a 500.
	manyRequests = 1 << 20
)

func upstreamCluster(opts Options) *clusterv3.Cluster {
	c := cluster(clusterUpstream, opts.Upstream, opts)
	if opts.UpstreamHTTP2 {
		c.TypedExtensionProtocolOptions = overHTTP2()
	}
	return c
}

// wontedCluster is wonted, or the several that share the callers out.
func wontedCluster(opts Options) *clusterv3.Cluster {
	c := grpcCluster(clusterWonted, opts.Wonted, opts)
	if opts.shared() {
		shareOut(c, opts)
	}
	if opts.answersReadiness() {
		c.HealthChecks = []*corev3.HealthCheck{healthCheck()}
	}
	return c
}

// grpcCluster is a server that is asked about every request.
func grpcCluster(name, target string, opts Options) *clusterv3.Cluster {
	c := cluster(name, target, opts)
	c.TypedExtensionProtocolOptions = overHTTP2() // gRPC
	c.CircuitBreakers = &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{{
		MaxConnections:     wrapperspb.UInt32(manyRequests),
		MaxPendingRequests: wrapperspb.UInt32(manyRequests),
		MaxRequests:        wrapperspb.UInt32(manyRequests),
	}}}
	return c
}

func cluster(name, target string, opts Options) *clusterv3.Cluster {
	c := &clusterv3.Cluster{
		Name:                 name,
		ConnectTimeout:       durationpb.New(time.Second),
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: discovery(target)},
		LoadAssignment: &endpointv3.ClusterLoadAssignment{
			ClusterName: name,
			Endpoints:   []*endpointv3.LocalityLbEndpoints{{LbEndpoints: []*endpointv3.LbEndpoint{endpoint(target)}}},
		},
	}
	if opts.BufferBytes > 0 {
		c.PerConnectionBufferLimitBytes = wrapperspb.UInt32(uint32(opts.BufferBytes))
	}
	return c
}

// discovery is static for sockets and addresses, DNS for names.
func discovery(target string) clusterv3.Cluster_DiscoveryType {
	if strings.HasPrefix(target, "unix://") {
		return clusterv3.Cluster_STATIC
	}
	if host, _, _ := net.SplitHostPort(target); host == "" || net.ParseIP(host) != nil {
		return clusterv3.Cluster_STATIC
	}
	return clusterv3.Cluster_STRICT_DNS
}

func endpoint(target string) *endpointv3.LbEndpoint {
	return &endpointv3.LbEndpoint{HostIdentifier: &endpointv3.LbEndpoint_Endpoint{
		Endpoint: &endpointv3.Endpoint{Address: dialAddress(target)},
	}}
}

func overHTTP2() map[string]*anypb.Any { return protocol(http2Options()) }

func http2Options() *httpv3.HttpProtocolOptions {
	return &httpv3.HttpProtocolOptions{
		UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
			ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
				ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
					Http2ProtocolOptions: &corev3.Http2ProtocolOptions{},
				},
			},
		},
	}
}

func protocol(options *httpv3.HttpProtocolOptions) map[string]*anypb.Any {
	return map[string]*anypb.Any{httpOptionsType: pack(options)}
}
