package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wonted-project/wonted/envoy"
)

const envoyHelp = `Print an Envoy configuration that asks wonted, with a comment at each line that
wonted depends on. Where wonted listens, how much it sees (depth), what happens
while it is away (fail) and how many proxies stand in front of Envoy come from
wonted's own configuration, so that both sides agree.

  --for static         a complete bootstrap file
  --for istio          an EnvoyFilter (and a RequestAuthentication for --jwt-issuer)
                       for sidecars, or with --context gateway for an ingress gateway
  --for envoy-gateway  Backend, EnvoyExtensionPolicy, ClientTrafficPolicy and
                       EnvoyPatchPolicy (and a SecurityPolicy) for a --gateway

The depths, by what they cost:
  log       the access log alone: nothing stands in a request's way, all is judged afterwards
  lean      one message a request; how it ended comes from the access log
  adaptive  lean, and wonted asks for the responses that matter (the default)
  headers   one message a request and one a response
  bodies    and every response body is counted as it passes; say --buffer-bytes
At log, name with --log-header what else your policy reads of requests.

To fail closed is to answer 500 until wonted is ready. Something must keep traffic
away until then: --readiness /path has Envoy answer that path with 503 while wonted
is not well (static), for the load balancer in front; --readiness pod says that the
pod's readiness probe asks wonted.

Several wonted (--replica, or one --wonted name with many addresses) share the
callers out by the header --affinity, at the depths headers and bodies.

Addresses and networks in quarantine are refused by Envoy itself, by a filter
whose list comes from wonted: by xDS from where wonted listens or, where wonted's
edge.file is set, from that file, which must be there when Envoy starts. A block
holds while wonted is away. Without a list yet, or without wonted, the filter
refuses nobody. At log there is none, as nothing is refused.

Paths about which wonted is neither asked nor told: --skip /healthz (static). With
Envoy Gateway a policy of the HTTPRoute replaces the Gateway's; one that changes
nothing leaves the route out:
  spec:
    targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: health}]
    lua: []
With Istio, at a gateway, merge it into the route of the VirtualService (by name);
at a sidecar all of a port is one route, called default:
  - applyTo: HTTP_ROUTE
    match: {context: GATEWAY, routeConfiguration: {vhost: {route: {name: health}}}}
    patch:
      operation: MERGE
      value:
        typed_per_filter_config:
          envoy.filters.http.ext_proc:
            "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute
            disabled: true
There wonted still hears of such requests by the access log, and counts them as
unprotected.

In Istio's ambient mode put wonted at the ingress gateway: at a waypoint it is not
supported.`

// envoyFlags are the flags of envoy config.
type envoyFlags struct {
	cmd     *cobra.Command
	target  string
	blocks  bool
	wonted  string
	context string
	opts    envoy.Options
	tls     envoy.TLS
	jwt     envoy.JWT
	mesh    envoy.Mesh
	gateway envoy.Gateway
}

// Flags that say something of one or two of the targets only.
var envoyTargets = []struct {
	target string
	flags  []string
}{
	{"static", []string{"envoy-listen", "envoy-admin", "upstream", "upstream-http2", "tls-certificate", "tls-key", "tls-client-ca", "skip"}},
	{"istio", []string{"name", "namespace", "context", "selector", "port", "ja4"}},
	{"envoy-gateway", []string{"name", "namespace", "gateway", "listener", "ja4"}},
}

func withEnvoyFlags(cmd *cobra.Command) *envoyFlags {
	e := &envoyFlags{cmd: cmd, jwt: envoy.JWT{Name: "jwt"}}
	f := cmd.Flags()
	f.StringVar(&e.target, "for", "static", "static, istio or envoy-gateway: who configures Envoy")
	f.StringVar(&e.wonted, "wonted", "", "where Envoy finds wonted, if not where it says that it listens: a service's name:port")
	f.StringSliceVar(&e.opts.Replicas, "replica", nil, "address of a further wonted; may be repeated")
	f.StringVar(&e.opts.Affinity, "affinity", "", "request header, such as x-api-key, by which several wonted share the callers out")
	f.DurationVar(&e.opts.MessageTimeout, "message-timeout", 200*time.Millisecond, "how long a request waits for wonted")
	f.StringVar(&e.opts.Readiness, "readiness", "", "path by which Envoy tells whether wonted is ready, or pod: its readiness probe does")
	f.BoolVar(&e.blocks, "edge-blocks", true, "have Envoy itself refuse addresses and networks in quarantine")
	f.IntVar(&e.opts.BufferBytes, "buffer-bytes", 0, "how much Envoy buffers of a connection, and so shows of a body at once (default is Envoy's)")
	f.StringVar(&e.opts.AccessLog, "access-log", "", "file of a JSON access log with wonted's verdicts, that wonted replay reads")
	f.StringSliceVar(&e.opts.LogHeaders, "log-header", nil, "request header that wonted is to see at depth log, beside those of identity rules; may be repeated")
	f.StringVar(&e.jwt.Issuer, "jwt-issuer", "", "issuer (claim iss) of tokens that Envoy verifies, for identity rules by jwt_claim")
	f.StringVar(&e.jwt.JWKS, "jwt-jwks", "", "file with the issuer's public keys")
	f.StringSliceVar(&e.jwt.Audiences, "jwt-audience", nil, "audience (claim aud) that tokens must have one of; may be repeated")

	f.StringVar(&e.opts.Listen, "envoy-listen", "0.0.0.0:8080", "static: host:port where Envoy takes requests")
	f.StringVar(&e.opts.Admin, "envoy-admin", "127.0.0.1:9901", "static: host:port of Envoy's own admin page")
	f.StringVar(&e.opts.Upstream, "upstream", "127.0.0.1:8000", "static: host:port of the API that is protected")
	f.BoolVar(&e.opts.UpstreamHTTP2, "upstream-http2", false, "static: the API speaks HTTP/2 (gRPC)")
	f.StringVar(&e.tls.Certificate, "tls-certificate", "", "static: PEM file; with it Envoy speaks TLS, and fingerprints clients (JA4)")
	f.StringVar(&e.tls.Key, "tls-key", "", "static: PEM file of the certificate's key")
	f.StringVar(&e.tls.ClientCA, "tls-client-ca", "", "static: PEM file; clients may then present a certificate that it signed")
	f.StringSliceVar(&e.opts.Skip, "skip", nil, "static: path about which wonted is not asked: /healthz, or /static/* for all below; may be repeated")

	f.StringVar(&e.mesh.Name, "name", "wonted", "istio, envoy-gateway: name of the manifests")
	f.StringVar(&e.mesh.Namespace, "namespace", "", "istio, envoy-gateway: namespace of the manifests (envoy-gateway: and of the Gateway; default default)")
	f.BoolVar(&e.opts.JA4, "ja4", false, "istio, envoy-gateway: fingerprint clients where the gateway terminates TLS")
	f.StringVar(&e.context, "context", "sidecar", "istio: sidecar, for what comes into a pod, or gateway, for an ingress gateway")
	f.StringToStringVar(&e.mesh.Selector, "selector", nil, "istio: label=value of the pods; may be repeated (default all of the namespace)")
	f.IntVar(&e.mesh.Port, "port", 0, "istio: only what comes to this port")
	f.StringVar(&e.gateway.Gateway, "gateway", "", "envoy-gateway: name of the Gateway")
	f.StringSliceVar(&e.gateway.Listeners, "listener", nil, "envoy-gateway: name of a listener of the Gateway; may be repeated")
	return e
}

func (f *envoyFlags) given(flag string) bool { return f.cmd.Flags().Changed(flag) }

// check refuses flags that the target knows nothing of, and takes away what
// they say by default.
func (f *envoyFlags) check() (err error) {
	var targets []string
	foreign := map[string][]string{} // flag -> whose it is
	for _, t := range envoyTargets {
		targets = append(targets, t.target)
		for _, flag := range t.flags {
			foreign[flag] = append(foreign[flag], t.target)
		}
	}
	if !slices.Contains(targets, f.target) {
		return misuse("--for "+strings.Join(targets, ", --for "), "--for %q is not known", f.target)
	}
	f.cmd.Flags().Visit(func(flag *pflag.Flag) {
		if whose := foreign[flag.Name]; err == nil && len(whose) > 0 && !slices.Contains(whose, f.target) {
			err = misuse(see(f.cmd), "--%s is for --for %s, not %s", flag.Name, strings.Join(whose, " and "), f.target)
		}
	})
	if f.context != "sidecar" && f.context != "gateway" {
		return misuse("--context sidecar, --context gateway", "--context %q is not known", f.context)
	}
	f.mesh.Gateway = f.context == "gateway"
	f.gateway.Name, f.gateway.Namespace = f.mesh.Name, f.mesh.Namespace
	if f.target != "static" {
		f.opts.Listen, f.opts.Admin, f.opts.Upstream = "", "", ""
	}
	return err
}
