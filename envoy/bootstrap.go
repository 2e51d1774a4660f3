package envoy

import (
	"errors"
	"fmt"
	"net"
	"strings"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// Bootstrap renders a complete static bootstrap: one listener, the filters,
// the upstream and the way to wonted, as YAML with comments that say why each
// line that wonted depends on is there.
//
// It is printed to be run by others, and so refuses what needs somebody to watch
// it: to fail closed without Readiness, to be shown bodies without BufferBytes.
func Bootstrap(opts Options) ([]byte, error) {
	var f faults
	opts.withDefaults().validatePrinted(&f)
	b, err := build(opts)
	if err = errors.Join(append(f, err)...); err != nil {
		return nil, err
	}
	return render(b, opts.withDefaults())
}

// build checks opts and makes the typed bootstrap, valid by the rules that
// Envoy publishes with its messages.
func build(opts Options) (*bootstrapv3.Bootstrap, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("envoy options: %w", err)
	}
	clusters := []*clusterv3.Cluster{upstreamCluster(opts)}
	switch {
	case opts.ExtAuthz != "":
		clusters = append(clusters, grpcCluster(clusterExtAuthz, opts.ExtAuthz, opts))
	case !opts.Bare:
		clusters = append(clusters, wontedCluster(opts))
	}
	b := &bootstrapv3.Bootstrap{
		Admin: &bootstrapv3.Admin{Address: socketAddress(opts.Admin)},
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{
			Listeners: []*listenerv3.Listener{listener(opts)},
			Clusters:  clusters,
		},
	}
	if opts.Blocks { // Envoy discovers nothing without
		b.Node = &corev3.Node{Id: "envoy", Cluster: "wonted"}
	}
	if err := b.ValidateAll(); err != nil {
		return nil, fmt.Errorf("envoy bootstrap: %w", err)
	}
	return b, nil
}

// pack wraps an extension's configuration. Options are checked for UTF-8
// before, so that a failure here is a fault of this package.
func pack(m proto.Message) *anypb.Any {
	if v, ok := m.(interface{ ValidateAll() error }); ok {
		if err := v.ValidateAll(); err != nil {
			panic(fmt.Sprintf("envoy: %T: %v", m, err))
		}
	}
	packed, err := anypb.New(m)
	if err != nil {
		panic(fmt.Sprintf("envoy: %T: %v", m, err))
	}
	return packed
}

// socketAddress turns a checked host:port into Envoy's form. An empty host is
// every address.
func socketAddress(hostport string) *corev3.Address {
	host, _, _ := net.SplitHostPort(hostport)
	if host == "" {
		host = "0.0.0.0"
	}
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       host,
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port(hostport)},
	}}}
}

// dialAddress turns wonted's listen address, or a host:port, into Envoy's form.
func dialAddress(target string) *corev3.Address {
	if path, ok := strings.CutPrefix(target, "unix://"); ok {
		return &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: path}}}
	}
	if host, p, _ := net.SplitHostPort(target); host == "" {
		target = net.JoinHostPort("127.0.0.1", p)
	}
	return socketAddress(target)
}
