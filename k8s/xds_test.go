//go:build kube

package k8s

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	grpclogv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/grpc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/proto"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// xds is what a control plane has made for one Envoy.
type xds struct {
	listeners []*listenerv3.Listener
	clusters  []*clusterv3.Cluster
}

// listener is that with this name, and nil without one.
func (x xds) listener(name string) *listenerv3.Listener {
	for _, l := range x.listeners {
		if l.Name == name {
			return l
		}
	}
	return nil
}

// edit changes the connection managers of a listener in place.
func edit(l *listenerv3.Listener, change func(*hcmv3.HttpConnectionManager) error) error {
	for _, chain := range append(slices.Clone(l.GetFilterChains()), l.GetDefaultFilterChain()) {
		for _, f := range chain.GetFilters() {
			m := &hcmv3.HttpConnectionManager{}
			if !f.GetTypedConfig().MessageIs(m) {
				continue
			}
			if err := f.GetTypedConfig().UnmarshalTo(m); err != nil {
				return err
			}
			if err := change(m); err != nil {
				return fmt.Errorf("%s %s: %w", chain.GetName(), m.StatPrefix, err)
			}
			if err := f.GetTypedConfig().MarshalFrom(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// asks says what keeps a listener from asking the wonted behind a socket: all of
// its connection managers must have wonted's filters, in their places, and its log.
func (x xds) asks(l *listenerv3.Listener, socket string) error {
	managers := 0
	err := edit(l, func(m *hcmv3.HttpConnectionManager) error {
		managers++
		return errors.Join(x.blocks(m, socket), x.filter(m, socket), x.log(m, socket))
	})
	if managers == 0 {
		return errors.Join(err, fmt.Errorf("%q has no connection manager", l.GetName()))
	}
	return err
}

// blocks stand before all other filters.
func (x xds) blocks(m *hcmv3.HttpConnectionManager, socket string) error {
	first := m.HttpFilters[0]
	for _, s := range first.GetConfigDiscovery().GetConfigSource().GetApiConfigSource().GetGrpcServices() {
		if first.Name == "wonted.blocks" && s.GetGoogleGrpc().GetTargetUri() == "unix://"+socket {
			return nil
		}
	}
	return fmt.Errorf("the first filter is not wonted's list of blocks: %v", first)
}

// filter is the last before the router: who calls has been verified by then.
func (x xds) filter(m *hcmv3.HttpConnectionManager, socket string) error {
	n, names := len(m.HttpFilters), []string{}
	for _, f := range m.HttpFilters {
		names = append(names, f.Name)
	}
	if n < 2 || !m.HttpFilters[n-1].GetTypedConfig().MessageIs(&routerv3.Router{}) {
		return fmt.Errorf("the router is not the last of %v", names)
	}
	p := &extprocv3.ExternalProcessor{}
	if f := m.HttpFilters[n-2].GetTypedConfig(); !f.MessageIs(p) {
		return fmt.Errorf("before the router there is no processor: %v", names)
	} else if err := f.UnmarshalTo(p); err != nil {
		return err
	}
	if p.StatPrefix != "wonted" || !p.FailureModeAllow || !p.AllowModeOverride || p.MutationRules.GetDisallowExpression() == nil {
		return fmt.Errorf("not wonted's processor: %v", p)
	}
	if got := p.GetMetadataOptions().GetReceivingNamespaces().GetUntyped(); !slices.Equal(got, []string{"wonted"}) {
		return fmt.Errorf("verdicts are taken into %v", got)
	}
	return x.leads(p.GetGrpcService().GetEnvoyGrpc().GetClusterName(), socket)
}

// log tells wonted how each exchange ended.
func (x xds) log(m *hcmv3.HttpConnectionManager, socket string) error {
	for _, a := range m.AccessLog {
		to := &grpclogv3.HttpGrpcAccessLogConfig{}
		if !a.GetTypedConfig().MessageIs(to) {
			continue
		}
		if err := a.GetTypedConfig().UnmarshalTo(to); err != nil {
			return err
		}
		return x.leads(to.GetCommonConfig().GetGrpcService().GetEnvoyGrpc().GetClusterName(), socket)
	}
	return errors.New("wonted gets no access log")
}

// leads says what keeps a cluster from leading to a socket, by gRPC.
func (x xds) leads(name, socket string) error {
	for _, c := range x.clusters {
		if c.Name != name {
			continue
		}
		options := &httpv3.HttpProtocolOptions{}
		packed := c.TypedExtensionProtocolOptions["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
		if err := packed.UnmarshalTo(options); err != nil || options.GetExplicitHttpConfig().GetHttp2ProtocolOptions() == nil {
			return fmt.Errorf("cluster %q does not speak HTTP/2: %v (%w)", name, options, err)
		}
		for _, locality := range c.GetLoadAssignment().GetEndpoints() {
			for _, e := range locality.LbEndpoints {
				if e.GetEndpoint().GetAddress().GetPipe().GetPath() == socket {
					return nil
				}
			}
		}
		return fmt.Errorf("cluster %q does not lead to %s: %v", name, socket, c.GetLoadAssignment())
	}
	return fmt.Errorf("there is no cluster %q", name)
}

// write makes a bootstrap file of b with all of x in it, which Envoy takes as it is.
func (x xds) write(t *testing.T, b *bootstrapv3.Bootstrap) string {
	t.Helper()
	b.StaticResources.Listeners = append(b.StaticResources.Listeners, x.listeners...)
	b.StaticResources.Clusters = append(b.StaticResources.Clusters, x.clusters...)
	packed, err := proto.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "envoy.pb") // what it is called says how it is read
	if err := os.WriteFile(file, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// accepts is what Envoy says of a bootstrap file.
func accepts(t *testing.T, file string) error {
	t.Helper()
	out, err := exec.Command(envoytest.Find(t), "--mode", "validate", "--config-path", file, "--log-level", "error").CombinedOutput()
	if err != nil {
		return fmt.Errorf("envoy --mode validate: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
