package edge

import (
	"context"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	extensionv3 "github.com/envoyproxy/go-control-plane/envoy/service/extension/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
)

// xds serves the list as an extension's configuration (ECDS). Every Envoy gets
// the same. A stream that asks before there is a list waits for it.
type xds struct {
	cache  cache.SnapshotCache
	server server.Server
	close  context.CancelFunc // ends all streams
}

// everyProxy is the node that all Envoys count as.
type everyProxy struct{}

func (everyProxy) ID(*corev3.Node) string { return "" }

func newXDS(m *metrics, rejected func(why string)) *xds {
	ctx, cancel := context.WithCancel(context.Background())
	c := cache.NewSnapshotCache(false, everyProxy{}, nil)
	return &xds{cache: c, close: cancel, server: server.NewServer(ctx, c, server.CallbackFuncs{
		StreamOpenFunc:   func(context.Context, int64, string) error { m.proxies.Inc(); return nil },
		StreamClosedFunc: func(int64, *corev3.Node) { m.proxies.Dec() },
		StreamRequestFunc: func(_ int64, r *discoveryv3.DiscoveryRequest) error {
			if r.ErrorDetail != nil {
				m.rejections.Inc()
				rejected(r.ErrorDetail.Message)
			}
			return nil
		},
	})}
}

func (x *xds) register(g *grpc.Server) {
	extensionv3.RegisterExtensionConfigDiscoveryServiceServer(g, x.server)
}

func (x *xds) set(s *state) error {
	snapshot, err := cache.NewSnapshot(s.version, map[resource.Type][]types.Resource{resource.ExtensionConfigType: {s.config}})
	if err != nil {
		return err
	}
	return x.cache.SetSnapshot(context.Background(), "", snapshot)
}
