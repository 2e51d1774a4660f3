package envoy_test

import (
	"encoding/json"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/wonted-project/wonted/envoy"
)

// gatewayListener resembles what Envoy Gateway makes of a Gateway, a route and
// the manifests, and is not made by it (package k8s asks its own translator). Of the
// policies it reads what it needs to be like Envoy Gateway in: the processor of the
// extension policy, on the route only, and the headers of the traffic policy.
func gatewayListener(t testing.TB, upstream string, all map[string]manifest) (*listenerv3.Listener, []*clusterv3.Cluster) {
	t.Helper()
	var backend struct {
		Endpoints []struct{ Unix struct{ Path string } }
	}
	var extension struct {
		ExtProc []struct {
			FailOpen       bool
			MessageTimeout string
			ProcessingMode struct {
				Request           struct{ Attributes []string }
				AllowModeOverride bool
			}
			Metadata struct{ AccessibleNamespaces, WritableNamespaces []string }
		}
	}
	var traffic struct {
		ClientIPDetection struct{ XForwardedFor struct{ NumTrustedHops int } }
		Headers           struct {
			EarlyRequestHeaders struct{ RemoveOnMatch []struct{ Value string } }
		}
	}
	for kind, into := range map[string]any{"Backend": &backend, "EnvoyExtensionPolicy": &extension, "ClientTrafficPolicy": &traffic} {
		if err := json.Unmarshal(all[kind].Spec, into); err != nil {
			t.Fatal(err)
		}
	}
	processor, filter := extension.ExtProc[0], "envoy.filters.http.ext_proc/envoyextensionpolicy/shop/wonted/extproc/0"
	list := func(values []string) string { packed, _ := json.Marshal(values); return string(packed) }
	listener := parse(t, &listenerv3.Listener{}, `
name: clients
address: {socket_address: {address: 127.0.0.1, port_value: 0}}
per_connection_buffer_limit_bytes: 32768
default_filter_chain:
  filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: http-10080
      server_header_transformation: PASS_THROUGH
      common_http_protocol_options: {headers_with_underscores_action: REJECT_REQUEST}
      normalize_path: true
      merge_slashes: true
      path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT
      original_ip_detection_extensions:
      - name: envoy.extensions.http.original_ip_detection.xff
        typed_config: {"@type": type.googleapis.com/envoy.extensions.http.original_ip_detection.xff.v3.XffConfig, xff_num_trusted_hops: %d, skip_xff_append: false}
      early_header_mutation_extensions:
      - name: envoy.http.early_header_mutation.header_mutation
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation
          mutations: [{remove_on_match: {key_matcher: {ignore_case: false, safe_regex: {regex: '%s'}}}}]
      route_config:
        name: shop/edge/http
        virtual_hosts:
        - name: shop/edge/http/shop
          domains: ["*"]
          routes:
          - match: {prefix: /}
            route: {cluster: httproute/shop/orders/rule/0}
            typed_per_filter_config: {"%s": {"@type": type.googleapis.com/envoy.config.route.v3.FilterConfig, config: {}}}
      http_filters:
      - name: %s
        disabled: true
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
          failure_mode_allow: %t
          message_timeout: %ss
          allow_mode_override: %t
          request_attributes: %s
          metadata_options: {forwarding_namespaces: {untyped: %s}, receiving_namespaces: {untyped: %s}}
          processing_mode: {request_header_mode: SEND, response_header_mode: SKIP, request_trailer_mode: SKIP, response_trailer_mode: SKIP}
          grpc_service: {envoy_grpc: {cluster_name: envoyextensionpolicy/shop/wonted/0/wonted, authority: wonted.shop}, timeout: 10s}
      - name: envoy.filters.http.router
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
`, traffic.ClientIPDetection.XForwardedFor.NumTrustedHops-1, traffic.Headers.EarlyRequestHeaders.RemoveOnMatch[0].Value,
		filter, filter, processor.FailOpen, seconds(t, processor.MessageTimeout), processor.ProcessingMode.AllowModeOverride,
		list(processor.ProcessingMode.Request.Attributes), list(processor.Metadata.AccessibleNamespaces), list(processor.Metadata.WritableNamespaces))
	host, port, _ := net.SplitHostPort(upstream)
	return listener, []*clusterv3.Cluster{parse(t, &clusterv3.Cluster{}, `
name: httproute/shop/orders/rule/0
type: STATIC
load_assignment:
  cluster_name: httproute/shop/orders/rule/0
  endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}]}]
`, host, port), parse(t, &clusterv3.Cluster{}, `
name: envoyextensionpolicy/shop/wonted/0/wonted
type: STATIC
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: {http2_protocol_options: {}}
load_assignment:
  cluster_name: envoyextensionpolicy/shop/wonted/0/wonted
  endpoints: [{lb_endpoints: [{endpoint: {address: {pipe: {path: %s}}}}]}]
`, backend.Endpoints[0].Unix.Path)}
}

// seconds is a duration of the Gateway API's as protobuf writes it.
func seconds(t testing.TB, duration string) string {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSuffix(duration, "ms"))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d.%03d", n/1000, n%1000)
}

// gatewayPatch is an operation of an EnvoyPatchPolicy.
type gatewayPatch struct {
	Type, Name string
	Operation  struct {
		Op, JSONPath, Path string
		Value              json.RawMessage
	}
}

func patchesOf(t testing.TB, all map[string]manifest) []gatewayPatch {
	t.Helper()
	var policy struct{ JSONPatches []gatewayPatch }
	if err := json.Unmarshal(all["EnvoyPatchPolicy"].Spec, &policy); err != nil || len(policy.JSONPatches) == 0 {
		t.Fatalf("%v in\n%s", err, all["EnvoyPatchPolicy"].Spec)
	}
	return policy.JSONPatches
}

// apply does to a listener what these patches say, and returns the clusters that
// they add.
func apply(t testing.TB, listener *listenerv3.Listener, patches []gatewayPatch) (added []*clusterv3.Cluster) {
	t.Helper()
	packed, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(listener)
	if err != nil {
		t.Fatal(err)
	}
	var root any
	if err := json.Unmarshal(packed, &root); err != nil {
		t.Fatal(err)
	}
	for _, p := range patches {
		switch {
		case p.Operation.Op != "add":
			t.Fatalf("an operation that this test does not know: %+v", p)
		case p.Operation.JSONPath == "" && p.Operation.Path == "":
			cluster := &clusterv3.Cluster{}
			if err := protojson.Unmarshal(p.Operation.Value, cluster); err != nil {
				t.Fatal(err)
			}
			added = append(added, cluster)
		case p.Name != "shop/edge/http":
			t.Fatalf("a patch for the listener %q", p.Name)
		default:
			var value any
			if err := json.Unmarshal(p.Operation.Value, &value); err != nil {
				t.Fatal(err)
			}
			at := locate(t, root, p.Operation.JSONPath)
			if len(at) != 1 {
				t.Fatalf("%d places are %s", len(at), p.Operation.JSONPath)
			}
			put(t, at[0], strings.Split(strings.TrimPrefix(p.Operation.Path, "/"), "/"), value)
		}
	}
	if packed, err = json.Marshal(root); err != nil {
		t.Fatal(err)
	}
	proto.Reset(listener)
	if err := protojson.Unmarshal(packed, listener); err != nil {
		t.Fatal(err)
	}
	return added
}

var namedConfig = regexp.MustCompile(`^\.\.(\w+)\[\?\(@\.name=='([^']+)'\)\]\.typed_config$`)

// locate finds the one form of JSONPath that is rendered: the configuration of
// what has a name in a list, at any depth.
func locate(t testing.TB, node any, path string) (found []map[string]any) {
	t.Helper()
	form := namedConfig.FindStringSubmatch(path)
	if form == nil {
		t.Fatalf("a path that this test does not know: %s", path)
	}
	var walk func(any)
	walk = func(node any) {
		switch n := node.(type) {
		case []any:
			for _, one := range n {
				walk(one)
			}
		case map[string]any:
			for key, below := range n {
				if list, ok := below.([]any); ok && key == form[1] {
					for _, one := range list {
						if o, ok := one.(map[string]any); ok && o["name"] == form[2] {
							found = append(found, o["typed_config"].(map[string]any))
						}
					}
				}
				walk(below)
			}
		}
	}
	walk(node)
	return found
}

// put adds a value as JSON Patch does, making what is missing on the way.
func put(t testing.TB, node map[string]any, path []string, value any) {
	t.Helper()
	key := path[0]
	switch {
	case len(path) == 1:
		node[key] = value
	case len(path) == 2 && path[1] == "-":
		list, _ := node[key].([]any)
		node[key] = append(list, value)
	case len(path) == 2 && path[1] == "0":
		list, _ := node[key].([]any)
		node[key] = slices.Insert(list, 0, value)
	default:
		below, ok := node[key].(map[string]any)
		if !ok {
			below = map[string]any{}
			node[key] = below
		}
		put(t, below, path[1:], value)
	}
}

// A Gateway that is patched is as Envoy where wonted's own bootstrap configures it.
func TestAGatewayOfEnvoyGatewayAsksWonted(t *testing.T) {
	s := besideManaged(t, func(upstream string, opts envoy.Options) []byte {
		text, err := envoy.EnvoyGateway(opts, ours)
		if err != nil {
			t.Fatal(err)
		}
		all := manifests(t, text)
		listener, clusters := gatewayListener(t, upstream, all)
		return delivered(t, listener, append(clusters, apply(t, listener, patchesOf(t, all))...)...)
	})
	s.provesManaged()
}

// The filter of a Gateway is, when the patches are applied, that of wonted's own
// bootstrap: what travels with the policy and what with the patches is nothing to it.
func TestAGatewaysFilterIsTheBootstraps(t *testing.T) {
	f := func(name string, change func(*envoy.Options)) {
		t.Helper()
		opts := managed(t, true)
		change(&opts)
		text, err := envoy.EnvoyGateway(opts, ours)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all := manifests(t, text)
		listener, clusters := gatewayListener(t, "127.0.0.1:9000", all)
		added := apply(t, listener, patchesOf(t, all))
		accepted(t, name, delivered(t, listener, append(clusters, added...)...))

		manager := &hcmv3.HttpConnectionManager{}
		if err := listener.DefaultFilterChain.Filters[0].GetTypedConfig().UnmarshalTo(manager); err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(manager.HttpFilters, func(f *hcmv3.HttpFilter) bool { return strings.HasPrefix(f.Name, "envoy.filters.http.ext_proc/") })
		got, want := &extprocv3.ExternalProcessor{}, envoy.Processor(opts)
		if err := manager.HttpFilters[at].GetTypedConfig().UnmarshalTo(got); err != nil {
			t.Fatal(err)
		}
		to := got.GrpcService.GetEnvoyGrpc()
		if shared := opts.Affinity != ""; shared != (to.ClusterName == "wonted") {
			t.Errorf("%s: it asks %s", name, to.ClusterName)
		}
		got.GrpcService.Timeout, to.Authority, to.ClusterName = nil, "", "wonted" // Envoy Gateway's own
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-bootstrap +gateway):\n%s", name, diff)
		}
	}
	f("adaptive", func(*envoy.Options) {})
	f("fail closed", func(o *envoy.Options) {
		o.FailOpen, o.Readiness, o.MessageTimeout = false, envoy.ReadinessPod, 1500*time.Millisecond
	})
	f("several", func(o *envoy.Options) {
		o.Depth, o.Affinity, o.Replicas, o.Blocks = envoy.DepthHeaders, "x-api-key", []string{"unix:///run/second.sock"}, false
	})
}

func TestWhatAGatewayCannotHaveIsRefused(t *testing.T) {
	f := func(want string, change func(*envoy.Options, *envoy.Gateway)) {
		t.Helper()
		opts, g := managed(t, true), ours
		change(&opts, &g)
		if _, err := envoy.EnvoyGateway(opts, g); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("refused with %v; want %q in it", err, want)
		}
	}
	f("tls: Envoy Gateway configures this itself", func(o *envoy.Options, _ *envoy.Gateway) { o.TLS = &envoy.TLS{} })
	f("listen: Envoy Gateway configures", func(o *envoy.Options, _ *envoy.Gateway) { o.Listen = "0.0.0.0:80" })
	f("nothing to add to Envoy Gateway", func(o *envoy.Options, _ *envoy.Gateway) { o.Wonted, o.Blocks, o.Bare = "", false, true })
	f("by their file only", func(o *envoy.Options, _ *envoy.Gateway) { o.Wonted = "unix://@wonted" })
	f("not both at once", func(o *envoy.Options, _ *envoy.Gateway) {
		o.Depth, o.Blocks, o.Affinity, o.Replicas = envoy.DepthHeaders, false, "x-api-key", []string{"wonted.shop.svc:9002"}
	})
	f("skip: the routes are the Gateway's", func(o *envoy.Options, _ *envoy.Gateway) { o.Skip = []string{"/healthz"} })
	f("fail closed: every request is answered 500", func(o *envoy.Options, _ *envoy.Gateway) { o.FailOpen = false })
	f("the issuer's keys are not JSON", func(o *envoy.Options, _ *envoy.Gateway) { o.JWT[0].Keys = "-----BEGIN" })
	f("listeners: name those", func(_ *envoy.Options, g *envoy.Gateway) { g.Listeners = nil })
	f("gateway: \"\" is not a name", func(_ *envoy.Options, g *envoy.Gateway) { g.Gateway = "" })
}
