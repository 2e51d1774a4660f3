package envoy

import (
	"fmt"
	"net"
	"strings"
)

// target is the Gateway that a policy is for.
func (g Gateway) target() gatewayRef {
	return gatewayRef{Group: "gateway.networking.k8s.io", Kind: "Gateway", Name: g.Gateway}
}

// backend is where wonted listens.
func (g Gateway) backend(opts Options) gatewayBackend {
	b := gatewayBackend{AppProtocols: []string{"gateway.envoyproxy.io/h2c"}} // gRPC
	for _, address := range append([]string{opts.Wonted}, opts.Replicas...) {
		b.Endpoints = append(b.Endpoints, gatewayAddress(address))
	}
	return b
}

func gatewayAddress(target string) gatewayEndpoint {
	if path, ok := strings.CutPrefix(target, "unix://"); ok {
		return gatewayEndpoint{Unix: &gatewayUnix{path}}
	}
	at := dialAddress(target).GetSocketAddress()
	if net.ParseIP(at.GetAddress()) == nil {
		return gatewayEndpoint{FQDN: &gatewayFQDN{at.GetAddress(), at.GetPortValue()}}
	}
	return gatewayEndpoint{IP: &gatewayIP{at.GetAddress(), at.GetPortValue()}}
}

// extension is what wontedProcessor is, as far as Envoy Gateway has a field for
// it. To name no processing of responses is to skip them.
func (g Gateway) extension(opts Options) gatewayExtensionPolicy {
	ours := wontedProcessor(opts)
	return gatewayExtensionPolicy{
		TargetRefs: []gatewayRef{g.target()},
		ExtProc: []gatewayExtProc{{
			BackendRefs: []gatewayRef{{Group: "gateway.envoyproxy.io", Kind: "Backend", Name: g.Name}},
			BackendSettings: gatewaySettings{
				CircuitBreaker: gatewayBreaker{manyRequests, manyRequests, manyRequests},
				Connection:     gatewayBuffer(opts),
			},
			FailOpen:       ours.FailureModeAllow,
			MessageTimeout: fmt.Sprintf("%dms", opts.MessageTimeout.Milliseconds()), // its durations have no fractions
			ProcessingMode: gatewayMode{
				Request:           gatewayProcessing{ours.RequestAttributes},
				AllowModeOverride: ours.AllowModeOverride,
			},
			Metadata: gatewayNamespaces{
				Accessible: ours.MetadataOptions.ForwardingNamespaces.Untyped,
				Writable:   ours.MetadataOptions.ReceivingNamespaces.Untyped,
			},
		}},
	}
}

// traffic is what clientFacts are. Envoy Gateway normalises paths and merges
// slashes unasked, takes the peer's address where no proxy is trusted, and
// refuses headers with underscores.
func (g Gateway) traffic(opts Options) gatewayTrafficPolicy {
	t := gatewayTrafficPolicy{
		TargetRefs: []gatewayRef{g.target()},
		Headers: gatewayHeaders{gatewayHeaderFilter{
			RemoveOnMatch: []gatewayMatch{{Type: "RegularExpression", Value: ours}},
		}},
		Connection: gatewayBuffer(opts),
	}
	if opts.TrustedProxies > 0 {
		t.ClientIPDetection = &gatewayClientIP{gatewayXFF{opts.TrustedProxies}}
	}
	if opts.JA4 {
		t.TLS = &gatewayTLS{Fingerprints: []string{"JA4"}}
	}
	return t
}

func gatewayBuffer(opts Options) *gatewayConnection {
	if opts.BufferBytes == 0 {
		return nil
	}
	return &gatewayConnection{BufferLimit: opts.BufferBytes}
}

// security is what jwtFilter is.
func (g Gateway) security(opts Options) gatewaySecurityPolicy {
	p := gatewaySecurityPolicy{TargetRefs: []gatewayRef{g.target()}, JWT: gatewayJWT{Optional: true}}
	for _, j := range opts.JWT {
		p.JWT.Providers = append(p.JWT.Providers, gatewayProvider{
			Name: j.Name, Issuer: j.Issuer, Audiences: j.Audiences,
			LocalJWKS: gatewayJWKS{Type: "Inline", Inline: j.Keys},
		})
	}
	return p
}
