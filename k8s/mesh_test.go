//go:build kube

package k8s

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"github.com/wonted-project/wonted/envoy/envoytest"
)

// publicKeys are of an issuer of tokens: that of RFC 7517, A.1.
const publicKeys = `{"keys":[{"kty":"EC","alg":"ES256","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"1"}]}`

// beside is what a mesh has around the example: a Service, and who may call it,
// so that Istio has filters of its own there.
const beside = `
apiVersion: v1
kind: Service
metadata:
  name: shop
spec:
  selector: {app: shop}
  ports:
  - {name: http, port: 8000, targetPort: 8000}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata:
  name: shop
spec:
  jwtRules:
  - issuer: https://issuer.example
    jwks: '` + publicKeys + `'
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: shop
spec:
  rules:
  - to:
    - operation: {notPaths: [/admin]}
`

// TestIstioTakesThePatches applies the example, and looks at what istiod serves to
// the sidecar of its pod, and to that of a pod without wonted's label. Envoy loads
// it all, and traffic goes through what is for the application's port.
func TestIstioTakesThePatches(t *testing.T) {
	const labelled, plain = "10.1.0.1", "10.1.0.2"
	upstream := envoytest.StartUpstream(t)
	wonted := envoytest.StartWonted(t, envoytest.Settings{Policy: refusing})
	socket := strings.TrimPrefix(wonted.Listen, "unix://")
	here := strings.NewReplacer("/run/wonted/extproc.sock", socket, "message_timeout: 0.200s", "message_timeout: 15s") // a slow machine is no failure
	where := namespace(t, "mesh")
	around, err := split([]byte(beside))
	if err != nil {
		t.Fatal(err)
	}
	var patches object
	for _, o := range append(build(t, "examples/istio"), around...) {
		if o.Kind == "EnvoyFilter" {
			o.text = []byte(here.Replace(string(o.text)))
			patches = o
		}
		if err := api.apply(o, where, false); err != nil {
			t.Fatal(err)
		}
		p, err := podOf(o)
		if err != nil {
			t.Fatal(err)
		}
		if p.text != nil {
			makePod(t, p, where, labelled)
			p.Metadata.Name = "plain"
			p.text = []byte(strings.NewReplacer(`"name":"shop"`, `"name":"plain"`, `"wonted":"sidecar"`, `"wonted":"no"`).Replace(string(p.text)))
			makePod(t, p, where, plain)
		}
	}
	istiod := startIstiod(t)

	x := served(t, istiod, "sidecar", "shop", where, labelled)
	if err := x.asks(x.listener(inbound), socket); err != nil {
		t.Fatal(err)
	}
	for _, l := range x.listeners {
		if l.Name == inbound {
			continue
		}
		if err := edit(l, without); err != nil {
			t.Errorf("what the pod calls goes through wonted: %s: %v", l.Name, err)
		}
	}
	if err := accepts(t, x.write(t, meshBootstrap(t))); err != nil {
		t.Error(err)
	}
	if err := edit(x.listener(inbound), func(m *hcmv3.HttpConnectionManager) error {
		return has(m, "envoy.filters.http.jwt_authn", "envoy.filters.http.rbac")
	}); err != nil {
		t.Error(err)
	}
	x.application(t, upstream).refuses(t, x.listener(inbound), meshBootstrap(t), upstream)

	other := served(t, istiod, "sidecar", "plain", where, plain)
	other.port(t)
	if err := edit(other.listener(inbound), without); err != nil {
		t.Errorf("a pod without the label: %v", err)
	}
	if err := other.leads("wonted", socket); err == nil {
		t.Error("a pod without the label has a way to wonted")
	}

	// Broken patches are taken by Kubernetes and by istiod, and found here.
	for about, m := range map[string]struct{ old, new, complaint string }{
		"outbound":       {"SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "the first filter is not wonted's list of blocks"},
		"another router": {"name: envoy.filters.http.router", "name: router", "before the router there is no processor"},
		"another socket": {"path: " + socket, "path: /run/other.sock", "does not lead to " + socket},
		"after istio":    {"INSERT_FIRST", "ADD", "the first filter is not wonted's list of blocks"},
		"no regex":       {"|:path)$", "|:path$", "missing )"},
	} {
		broken := patches
		broken.text = []byte(strings.ReplaceAll(string(patches.text), m.old, m.new))
		if err := api.apply(broken, where, false); err != nil {
			t.Errorf("%s: %v", about, err)
		}
		envoytest.Eventually(t, about, func() error {
			x := served(t, istiod, "sidecar", "shop", where, labelled)
			err := x.asks(x.listener(inbound), socket)
			if err == nil {
				err = accepts(t, x.write(t, meshBootstrap(t)))
			}
			if err == nil || !strings.Contains(err.Error(), m.complaint) {
				return fmt.Errorf("got %v, want a complaint with %q", err, m.complaint)
			}
			return nil
		})
	}
}

// inbound is the listener for what comes to a pod.
const inbound = "virtualInbound"

// port is the filter chain for what comes to the application in plain text, which
// Istio's own filters guard.
func (x xds) port(t *testing.T) *listenerv3.FilterChain {
	t.Helper()
	for _, chain := range x.listener(inbound).GetFilterChains() {
		if chain.GetFilterChainMatch().GetDestinationPort().GetValue() == 8000 && chain.TransportSocket == nil {
			return chain
		}
	}
	t.Fatalf("the application's port is not in %v", x.listener(inbound))
	return nil
}

// application is the part of x for the application's port, where upstream takes
// the place of the application, as there are no redirected connections here.
func (x xds) application(t *testing.T, upstream *envoytest.Upstream) (part xds) {
	t.Helper()
	l := x.listener(inbound)
	chain := x.port(t)
	chain.FilterChainMatch = nil
	l.FilterChains, l.DefaultFilterChain, l.ListenerFilters, l.UseOriginalDst = []*listenerv3.FilterChain{chain}, nil, nil, nil
	part.listeners = []*listenerv3.Listener{l}
	for _, c := range x.clusters {
		if c.Name == "inbound|8000||" {
			c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
			c.LbPolicy, c.UpstreamBindConfig = clusterv3.Cluster_ROUND_ROBIN, nil
			c.LoadAssignment = &endpointv3.ClusterLoadAssignment{ClusterName: c.Name, Endpoints: []*endpointv3.LocalityLbEndpoints{{
				LbEndpoints: []*endpointv3.LbEndpoint{{HostIdentifier: &endpointv3.LbEndpoint_Endpoint{
					Endpoint: &endpointv3.Endpoint{Address: address(upstream.Address())},
				}}},
			}}}
		}
		if c.Name == "inbound|8000||" || c.Name == "wonted" {
			part.clusters = append(part.clusters, c)
		}
	}
	return part
}

// has says which of these filters are missing. Those that verify who calls stand
// before the last two, where they are.
func has(m *hcmv3.HttpConnectionManager, names ...string) error {
	for _, name := range names {
		if !slices.ContainsFunc(m.HttpFilters, func(f *hcmv3.HttpFilter) bool { return f.Name == name }) {
			return fmt.Errorf("%s has no %s", m.StatPrefix, name)
		}
	}
	return nil
}

// without says what of wonted is in a connection manager.
func without(m *hcmv3.HttpConnectionManager) error {
	for _, f := range m.HttpFilters {
		if f.Name == "wonted.blocks" || f.Name == "envoy.filters.http.ext_proc" {
			return fmt.Errorf("%s has the filter %s", m.StatPrefix, f.Name)
		}
	}
	return nil
}
