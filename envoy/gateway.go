package envoy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
)

// Gateway says which of Envoy Gateway's Envoys get wonted's filter.
type Gateway struct {
	Name      string   // of the manifests; default wonted
	Namespace string   // of the Gateway, and of the manifests; default default
	Gateway   string   // its name
	Listeners []string // their names in the Gateway; of several on one port the first suffices
}

// EnvoyGateway renders the manifests that add wonted to a Gateway of Envoy
// Gateway: Backend, EnvoyExtensionPolicy and ClientTrafficPolicy, a
// SecurityPolicy where there are issuers of tokens, and an EnvoyPatchPolicy with
// what none of these has a field for. What Options say of the listener, the
// upstream and TLS is the Gateway's, and refused.
func EnvoyGateway(opts Options, g Gateway) ([]byte, error) {
	var f faults
	opts = opts.forManager(&f, "Envoy Gateway")
	if g.Name == "" {
		g.Name = clusterWonted
	}
	if g.Namespace == "" {
		g.Namespace = "default"
	}
	g.validate(&f, opts)
	if err := errors.Join(f...); err != nil {
		return nil, fmt.Errorf("envoy options: %w", err)
	}
	meta := metadata{Name: g.Name, Namespace: g.Namespace}
	var all []manifest
	add := func(kind string, spec any) {
		all = append(all, manifest{"gateway.envoyproxy.io/v1alpha1", kind, meta, spec})
	}
	if opts.Depth.inline() {
		add("Backend", g.backend(opts))
		add("EnvoyExtensionPolicy", g.extension(opts))
	}
	add("ClientTrafficPolicy", g.traffic(opts))
	if len(opts.JWT) > 0 {
		add("SecurityPolicy", g.security(opts))
	}
	patches, err := g.patches(opts)
	if err != nil {
		return nil, err
	}
	add("EnvoyPatchPolicy", gatewayPatchPolicy{Type: "JSONPatch", TargetRef: g.target(), JSONPatches: patches})
	return stream(fmt.Sprintf(gatewayPreamble, opts.Depth), slices.Concat(gatewayReasons, reasons), all)
}

func (g Gateway) validate(f *faults, opts Options) {
	f.label("name", g.Name)
	f.label("namespace", g.Namespace)
	f.label("gateway", g.Gateway)
	if len(g.Listeners) == 0 {
		f.refuse("listeners: name those of the Gateway that are to have wonted: their names are part of what is patched")
	}
	for _, l := range g.Listeners {
		f.label("listener", l)
	}
	if len(opts.Skip) > 0 {
		f.refuse("skip: the routes are the Gateway's: give the HTTPRoute to be left out a policy of its own, as \"wonted envoy config --help\" shows")
	}
	names := 0
	for _, target := range append([]string{opts.Wonted}, opts.Replicas...) {
		if strings.HasPrefix(target, "unix://@") {
			f.refuse("wonted: %q: Envoy Gateway takes Unix sockets by their file only", target)
		}
		if discovery(target) == clusterv3.Cluster_STRICT_DNS {
			names++
		}
	}
	if names > 0 && names <= len(opts.Replicas) {
		f.refuse("replicas: Envoy Gateway takes names, or addresses and sockets, not both at once")
	}
}

// patches are what Envoy Gateway's policies have no field for.
func (g Gateway) patches(opts Options) ([]gatewayPatch, error) {
	const (
		managers = "..filters[?(@.name=='envoy.filters.network.http_connection_manager')].typed_config"
		listener = "type.googleapis.com/envoy.config.listener.v3.Listener"
	)
	filter := fmt.Sprintf("..http_filters[?(@.name=='%s/envoyextensionpolicy/%s/%s/extproc/0')].typed_config", filterWonted, g.Namespace, g.Name)
	wonted := wontedCluster(opts)
	if err := wonted.ValidateAll(); err != nil {
		return nil, fmt.Errorf("envoy cluster: %w", err)
	}
	var patches []gatewayPatch
	if opts.Depth.logged() || opts.shared() {
		patches = append(patches, gatewayPatch{
			Type: "type.googleapis.com/envoy.config.cluster.v3.Cluster", Name: clusterWonted,
			Operation: gatewayOperation{Op: "add", Value: value(wonted)},
		})
	}
	for _, l := range g.Listeners {
		add := func(at, path string, v any) {
			patches = append(patches, gatewayPatch{
				Type: listener, Name: g.Namespace + "/" + g.Gateway + "/" + l,
				Operation: gatewayOperation{Op: "add", JSONPath: at, Path: path, Value: v},
			})
		}
		for _, log := range accessLogs(opts) {
			add(managers, "/access_log/-", value(log))
		}
		if opts.Depth.inline() {
			ours := wontedProcessor(opts)
			add(filter, "/mutation_rules", value(ours.MutationRules))
			add(filter, "/stat_prefix", ours.StatPrefix)
			if sent := ours.GrpcService.InitialMetadata; len(sent) > 0 {
				values := make([]any, len(sent))
				for i, header := range sent {
					values[i] = value(header)
				}
				add(filter, "/grpc_service/initial_metadata", values)
			}
			if opts.shared() {
				add(filter, "/grpc_service/envoy_grpc/cluster_name", clusterWonted)
			}
		}
		if opts.Blocks { // the last, as it moves the others along
			add(managers, "/http_filters/0", value(blocksFilter(opts)))
		}
	}
	return patches, nil
}

const gatewayPreamble = `# wonted beside the Envoys of a Gateway of Envoy Gateway, depth %s. Rendered by "wonted envoy config".
# In Envoy Gateway's own configuration extensionApis.enableBackend and
# extensionApis.enableEnvoyPatchPolicy must be true. A Gateway has one ClientTrafficPolicy
# and one SecurityPolicy: where yours has them, merge these into them. The patches
# take effect with the first route of the Gateway; they name its listeners as long
# as XDSNameSchemeV2 is off.
`

// gatewayReasons are those of the manifests for Envoy Gateway.
var gatewayReasons = []reason{
	{"unix", "", "In a directory that the containers of Envoy and of wonted share."},
	{"failOpen", "true", "While wonted is down, late or broken, requests go on. Remove the line to fail closed."},
	{"messageTimeout", "", "How long a request waits for wonted before failOpen decides."},
	{"processingMode", "", "One message a request. wonted asks for more (response headers, body) exchange by exchange,\nfor which allowModeOverride must stay true."},
	{"writableNamespaces", "", "Claims go in, verdicts come out: %DYNAMIC_METADATA(wonted)% in access logs and later filters."},
	{"circuitBreaker", "", "Every request in flight holds a stream to wonted; Envoy's default of 1024 would turn\nthe next one into an error."},
	{"earlyRequestHeaders", "", "x-wonted-* headers are wonted's to write: copies sent by a client are dropped,\nalso while wonted is away."},
	{"clientIPDetection", "", "Proxies in front of Envoy that may be believed; the same number as trusted_proxies in wonted."},
	{"fingerprints", "", "Fingerprints the client's TLS hello: the device's name in a profile."},
	{"bufferLimit", "", "Envoy Gateway's own buffer is 32 KiB."},
	{"optional", "true", "Tokens that do not verify are refused, requests without one pass on to wonted."},
	{"path", "/access_log/-", "The sink ALS of an EnvoyProxy cannot say how soon entries are to come, nor carry the client's\nfingerprint, and a Gateway has only one EnvoyProxy."},
	{"path", "/mutation_rules", "EnvoyExtensionPolicy has no field for what a processor may change, nor for the next ones."},
	{"path", "/stat_prefix", "So that wonted's filter counts under its own name."},
	{"path", "/http_filters/0", "No policy puts a filter before all others whose configuration comes while Envoy runs."},
	{"path", "/grpc_service/envoy_grpc/cluster_name", "Envoy Gateway makes no ring of its Backend's addresses; the cluster above does."},
}
