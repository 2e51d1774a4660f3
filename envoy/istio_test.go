package envoy_test

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	networkingv1alpha3 "istio.io/api/networking/v1alpha3"
	securityv1 "istio.io/api/security/v1"

	"github.com/wonted-project/wonted/envoy"
)

// inbound resembles what Istio makes of a port of a pod, and is not made by it
// (package k8s asks istiod): the connection manager has filters of its own, believes
// x-forwarded-for, and logs nothing.
func inbound(t testing.TB, upstream string) (*listenerv3.Listener, *clusterv3.Cluster) {
	t.Helper()
	host, port, _ := net.SplitHostPort(upstream)
	return parse(t, &listenerv3.Listener{}, `
name: clients
address: {socket_address: {address: 127.0.0.1, port_value: 0}}
traffic_direction: INBOUND
per_connection_buffer_limit_bytes: 32768
filter_chains:
- name: 0.0.0.0_8080
  filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: inbound_0.0.0.0_8080
      server_name: istio-envoy
      server_header_transformation: PASS_THROUGH
      use_remote_address: false
      normalize_path: true
      upgrade_configs: [{upgrade_type: websocket}]
      route_config:
        name: inbound|8080||
        validate_clusters: false
        virtual_hosts:
        - name: inbound|http|8080
          domains: ["*"]
          routes: [{name: default, match: {prefix: /}, route: {cluster: inbound|8080||, timeout: 0s}}]
      http_filters:
      - name: envoy.filters.http.fault
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault}
      - name: envoy.filters.http.cors
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors}
      - name: envoy.filters.http.router
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
`), parse(t, &clusterv3.Cluster{}, `
name: inbound|8080||
type: STATIC
load_assignment:
  cluster_name: inbound|8080||
  endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}]}]
`, host, port)
}

// filterOf reads an EnvoyFilter as strictly as Istio's own types do.
func filterOf(t testing.TB, text []byte) *networkingv1alpha3.EnvoyFilter {
	t.Helper()
	spec := &networkingv1alpha3.EnvoyFilter{}
	if err := protojson.Unmarshal(manifests(t, text)["EnvoyFilter"].Spec, spec); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return spec
}

// patched does to a listener what these patches say, as Istio documents it.
func patched(t testing.TB, listener *listenerv3.Listener, patches []*networkingv1alpha3.EnvoyFilter_EnvoyConfigObjectPatch) (added []*clusterv3.Cluster) {
	t.Helper()
	const manager = "envoy.filters.network.http_connection_manager"
	network := listener.FilterChains[0].Filters[0]
	config := &hcmv3.HttpConnectionManager{}
	if err := network.GetTypedConfig().UnmarshalTo(config); err != nil {
		t.Fatal(err)
	}
	for _, p := range patches {
		value, on := p.Patch.Value, p.Match.GetListener().GetFilterChain().GetFilter()
		if p.ApplyTo != networkingv1alpha3.EnvoyFilter_CLUSTER && p.ApplyTo != networkingv1alpha3.EnvoyFilter_LISTENER && on.GetName() != manager {
			t.Fatalf("%v is for %q", p.ApplyTo, on.GetName())
		}
		switch p.ApplyTo.String() + " " + p.Patch.Operation.String() {
		case "CLUSTER ADD":
			added = append(added, read(t, value, &clusterv3.Cluster{}))
		case "LISTENER MERGE":
			proto.Merge(listener, read(t, value, &listenerv3.Listener{}))
		case "NETWORK_FILTER MERGE":
			more := &hcmv3.HttpConnectionManager{}
			if err := read(t, value, &listenerv3.Filter{}).GetTypedConfig().UnmarshalTo(more); err != nil {
				t.Fatal(err)
			}
			proto.Merge(config, more)
		case "HTTP_FILTER INSERT_FIRST":
			config.HttpFilters = slices.Insert(config.HttpFilters, 0, read(t, value, &hcmv3.HttpFilter{}))
		case "HTTP_FILTER INSERT_BEFORE":
			at := slices.IndexFunc(config.HttpFilters, func(f *hcmv3.HttpFilter) bool { return f.Name == on.GetSubFilter().GetName() })
			if at < 0 {
				t.Fatalf("no filter %q to stand before", on.GetSubFilter().GetName())
			}
			config.HttpFilters = slices.Insert(config.HttpFilters, at, read(t, value, &hcmv3.HttpFilter{}))
		default:
			t.Fatalf("a patch that this test does not know: %v", p)
		}
	}
	if err := network.GetTypedConfig().MarshalFrom(config); err != nil {
		t.Fatal(err)
	}
	return added
}

func read[M proto.Message](t testing.TB, value *structpb.Struct, m M) M {
	t.Helper()
	if err := protojson.Unmarshal(marshal(t, value), m); err != nil {
		t.Fatalf("%T: %v", m, err)
	}
	return m
}

func TestWhatIstioIsToldIsItsAPI(t *testing.T) {
	text, err := envoy.Istio(managed(t, true), envoy.Mesh{
		Name: "edge", Namespace: "shop", Selector: map[string]string{"istio": "ingressgateway"}, Gateway: true, Port: 8443,
	})
	if err != nil {
		t.Fatal(err)
	}
	spec := filterOf(t, text)
	if got := spec.WorkloadSelector.GetLabels()["istio"]; got != "ingressgateway" {
		t.Errorf("selects istio=%q", got)
	}
	for _, p := range spec.ConfigPatches {
		if p.Match.Context != networkingv1alpha3.EnvoyFilter_GATEWAY {
			t.Errorf("%v in the context %v", p.ApplyTo, p.Match.Context)
		}
		if on := p.Match.GetListener(); on != nil && on.PortNumber != 8443 {
			t.Errorf("%v for port %d", p.ApplyTo, on.PortNumber)
		}
	}
	tokens := &securityv1.RequestAuthentication{}
	if err := protojson.Unmarshal(manifests(t, text)["RequestAuthentication"].Spec, tokens); err != nil {
		t.Fatal(err)
	}
	if r := tokens.JwtRules[0]; r.Issuer != issuerName || !strings.Contains(r.Jwks, "ES256") || r.Audiences[0] != "api" {
		t.Errorf("tokens: %v", r)
	}
}

func TestASidecarOfIstioAsksWonted(t *testing.T) {
	s := besideManaged(t, func(upstream string, opts envoy.Options) []byte {
		text, err := envoy.Istio(opts, envoy.Mesh{Selector: map[string]string{"app": "shop"}})
		if err != nil {
			t.Fatal(err)
		}
		listener, cluster := inbound(t, upstream)
		return delivered(t, listener, append(patched(t, listener, filterOf(t, text).ConfigPatches), cluster)...)
	})
	s.provesManaged()
	m := mark()
	s.wants(s.get(http1(t), "/orders", m, "x-request-id", "kept"), http.StatusOK)
	if got := s.upstream.Seen(m)[0].Get("x-request-id"); got != "kept" {
		t.Errorf("x-request-id became %q: the trace of the mesh ends here", got)
	}
}
