package envoy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	inspectorv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Mesh says which of Istio's Envoys get wonted's filter.
type Mesh struct {
	Name      string            // of the manifests; default wonted
	Namespace string            // of the manifests; "": the one in which they are applied
	Selector  map[string]string // labels of the pods; none: all of the namespace, in Istio's root namespace all of the mesh

	// Gateway is an ingress gateway. Otherwise it is what comes into a sidecar.
	Gateway bool
	Port    int // only what comes to this port; 0: to any
}

// Istio renders the manifests that add wonted to Envoys that Istio configures:
// an EnvoyFilter and, where there are issuers of tokens, a RequestAuthentication.
// What Options say of the listener, the upstream and TLS is Istio's, and refused.
func Istio(opts Options, mesh Mesh) ([]byte, error) {
	var f faults
	opts = opts.forManager(&f, "Istio")
	if mesh.Name == "" {
		mesh.Name = clusterWonted
	}
	mesh.validate(&f, opts)
	if err := errors.Join(f...); err != nil {
		return nil, fmt.Errorf("envoy options: %w", err)
	}
	patches, err := mesh.patches(opts)
	if err != nil {
		return nil, err
	}
	meta := metadata{Name: mesh.Name, Namespace: mesh.Namespace}
	all := []manifest{{
		APIVersion: "networking.istio.io/v1alpha3", Kind: "EnvoyFilter", Metadata: meta,
		Spec: envoyFilter{WorkloadSelector: mesh.workload(), ConfigPatches: patches},
	}}
	if len(opts.JWT) > 0 {
		all = append(all, manifest{
			APIVersion: "security.istio.io/v1", Kind: "RequestAuthentication", Metadata: meta,
			Spec: requestAuthentication{Selector: mesh.pods(), JWTRules: jwtRules(opts.JWT)},
		})
	}
	return stream(fmt.Sprintf(istioPreamble, opts.Depth), slices.Concat(istioReasons, reasons), all)
}

func (m Mesh) validate(f *faults, opts Options) {
	f.label("name", m.Name)
	if m.Namespace != "" {
		f.label("namespace", m.Namespace)
	}
	for key, value := range m.Selector {
		if !labelKey.MatchString(key) || !labelValue.MatchString(value) {
			f.refuse("selector: %s=%s is not a label of pods", key, value)
		}
	}
	if m.Port < 0 || m.Port > 65535 {
		f.refuse("port: %d is outside 1 to 65535", m.Port)
	}
	if opts.JA4 && !m.Gateway {
		f.refuse("ja4: who connects to a sidecar is mostly another proxy of the mesh, whose hello says nothing of the client: fingerprint at the gateway")
	}
	if len(opts.Skip) > 0 {
		f.refuse("skip: the routes are Istio's: patch typed_per_filter_config into the one to be left out, as \"wonted envoy config --help\" shows")
	}
}

var (
	labelKey   = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)
	labelValue = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`)
)

// The fields of Istio's API that are used here. Their names are pinned by a test
// that reads what is rendered into Istio's own types.
type (
	envoyFilter struct {
		WorkloadSelector *workloadSelector `yaml:"workloadSelector,omitempty"`
		ConfigPatches    []istioPatch      `yaml:"configPatches"`
	}
	workloadSelector struct {
		Labels map[string]string `yaml:"labels"`
	}
	istioPatch struct {
		ApplyTo string     `yaml:"applyTo"`
		Match   istioMatch `yaml:"match"`
		Patch   istioValue `yaml:"patch"`
	}
	istioMatch struct {
		Context  string         `yaml:"context"`
		Listener *istioListener `yaml:"listener,omitempty"`
	}
	istioListener struct {
		PortNumber     int         `yaml:"portNumber,omitempty"`
		FilterChain    *istioChain `yaml:"filterChain,omitempty"`
		ListenerFilter string      `yaml:"listenerFilter,omitempty"`
	}
	istioChain struct {
		Filter istioNamed `yaml:"filter"`
	}
	istioNamed struct {
		Name      string      `yaml:"name"`
		SubFilter *istioNamed `yaml:"subFilter,omitempty"`
	}
	istioValue struct {
		Operation string        `yaml:"operation"`
		Value     yaml.MapSlice `yaml:"value"`
	}
	requestAuthentication struct {
		Selector *podSelector `yaml:"selector,omitempty"`
		JWTRules []jwtRule    `yaml:"jwtRules"`
	}
	podSelector struct {
		MatchLabels map[string]string `yaml:"matchLabels"`
	}
	jwtRule struct {
		Issuer               string   `yaml:"issuer"`
		Audiences            []string `yaml:"audiences,omitempty"`
		JWKS                 string   `yaml:"jwks"`
		ForwardOriginalToken bool     `yaml:"forwardOriginalToken"`
	}
)

func (m Mesh) workload() *workloadSelector {
	if len(m.Selector) == 0 {
		return nil
	}
	return &workloadSelector{Labels: m.Selector}
}

func (m Mesh) pods() *podSelector {
	if len(m.Selector) == 0 {
		return nil
	}
	return &podSelector{MatchLabels: m.Selector}
}

func jwtRules(issuers []JWT) (rules []jwtRule) {
	for _, j := range issuers {
		rules = append(rules, jwtRule{Issuer: j.Issuer, Audiences: j.Audiences, JWKS: j.Keys, ForwardOriginalToken: true})
	}
	return rules
}

// patches are what is done to the configuration that Istio makes.
func (m Mesh) patches(opts Options) ([]istioPatch, error) {
	context := "SIDECAR_INBOUND"
	if m.Gateway {
		context = "GATEWAY"
	}
	const manager, router = "envoy.filters.network.http_connection_manager", "envoy.filters.http.router"
	var patches []istioPatch
	patch := func(applyTo string, on *istioListener, operation string, v yaml.MapSlice) {
		if on != nil && (m.Gateway || on.FilterChain != nil) { // a sidecar has one listener for all ports
			on.PortNumber = m.Port
		}
		patches = append(patches, istioPatch{applyTo, istioMatch{context, on}, istioValue{operation, v}})
	}
	inManager := func(filter string) *istioListener {
		named := istioNamed{Name: manager}
		if filter != "" {
			named.SubFilter = &istioNamed{Name: filter}
		}
		return &istioListener{FilterChain: &istioChain{named}}
	}

	wonted := wontedCluster(opts)
	if err := wonted.ValidateAll(); err != nil {
		return nil, fmt.Errorf("envoy cluster: %w", err)
	}
	patch("CLUSTER", nil, "ADD", value(wonted))

	facts := clientFacts(opts)
	facts.AccessLog = accessLogs(opts)
	facts.PreserveExternalRequestId = !m.Gateway
	patch("NETWORK_FILTER", inManager(""), "MERGE", value(&listenerv3.Filter{
		Name: manager, ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: incomplete(facts)},
	}))
	if opts.BufferBytes > 0 {
		patch("LISTENER", new(istioListener), "MERGE", value(&listenerv3.Listener{
			PerConnectionBufferLimitBytes: wrapperspb.UInt32(uint32(opts.BufferBytes)),
		}))
	}
	if opts.JA4 {
		const inspector = "envoy.filters.listener.tls_inspector"
		patch("LISTENER_FILTER", &istioListener{ListenerFilter: inspector}, "MERGE", value(&listenerv3.ListenerFilter{
			Name: inspector,
			ConfigType: &listenerv3.ListenerFilter_TypedConfig{TypedConfig: pack(&inspectorv3.TlsInspector{
				EnableJa4Fingerprinting: wrapperspb.Bool(true),
			})},
		}))
	}
	if opts.Depth.inline() {
		patch("HTTP_FILTER", inManager(router), "INSERT_BEFORE", value(wontedFilter(opts)))
	}
	if opts.Blocks {
		patch("HTTP_FILTER", inManager(""), "INSERT_FIRST", value(blocksFilter(opts)))
	}
	return patches, nil
}

const istioPreamble = `# wonted beside the Envoys that Istio configures, depth %s. Rendered by "wonted envoy config".
# Apply it with kubectl in the namespace of the pods. It holds for the pods that
# workloadSelector names; without one, for all of the namespace. wonted itself
# runs in each of these pods, or where the cluster below says.
`

// istioReasons are those of the manifests for Istio.
var istioReasons = []reason{
	{"applyTo", "CLUSTER", "The way to wonted."},
	{"applyTo", "NETWORK_FILTER", "Merged into the connection managers that Istio makes. Behind an ingress gateway that may be believed,\ntrusted_proxies is 1 more than at the gateway; what meshConfig says of numTrustedProxies is overruled."},
	{"applyTo", "LISTENER_FILTER", "Where the gateway terminates TLS."},
	{"applyTo", "LISTENER", "Istio's own buffer is 32 KiB."},
	{"preserve_external_request_id", "true", "With use_remote_address alone each sidecar would give a request a new x-request-id, and end its trace."},
	{"operation", "INSERT_BEFORE", "wonted is asked after Istio's own filters have verified who calls, and before the request goes on."},
	{"operation", "INSERT_FIRST", "Before all other filters."},
	{"jwtRules", "", "Tokens that do not verify are refused, requests without one pass on to wonted."},
}
