package envoy

import (
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	inspectorv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	earlyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// listenerName is how a started Envoy's port is found on its admin page.
const listenerName = "clients"

// ours matches the names of headers that only wonted may write, whole as Envoy
// matches. Envoy has made them lower-case; underscores, which it lets pass,
// stand for hyphens to CGI and its many heirs.
const ours = "^x[-_]wonted[-_].*$"

func listener(opts Options) *listenerv3.Listener {
	chain := &listenerv3.FilterChain{Filters: []*listenerv3.Filter{{
		Name:       "envoy.filters.network.http_connection_manager",
		ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: pack(connectionManager(opts))},
	}}}
	l := &listenerv3.Listener{
		Name:         listenerName,
		Address:      socketAddress(opts.Listen),
		FilterChains: []*listenerv3.FilterChain{chain},
	}
	if opts.BufferBytes > 0 {
		l.PerConnectionBufferLimitBytes = wrapperspb.UInt32(uint32(opts.BufferBytes))
	}
	if opts.TLS != nil {
		chain.TransportSocket = &corev3.TransportSocket{
			Name:       "envoy.transport_sockets.tls",
			ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: pack(downstreamTLS(opts.TLS))},
		}
		l.ListenerFilters = []*listenerv3.ListenerFilter{{
			Name: "envoy.filters.listener.tls_inspector",
			ConfigType: &listenerv3.ListenerFilter_TypedConfig{TypedConfig: pack(&inspectorv3.TlsInspector{
				EnableJa4Fingerprinting: wrapperspb.Bool(true),
			})},
		}}
	}
	return l
}

func connectionManager(opts Options) *hcmv3.HttpConnectionManager {
	var filters []*hcmv3.HttpFilter
	if opts.answersReadiness() {
		filters = append(filters, readinessFilter(opts.Readiness))
	}
	if opts.Blocks {
		filters = append(filters, blocksFilter(opts))
	}
	if len(opts.JWT) > 0 {
		filters = append(filters, jwtFilter(opts))
	}
	switch {
	case opts.ExtAuthz != "":
		filters = append(filters, extAuthzFilter(opts))
	case !opts.Bare && opts.Depth.inline():
		filters = append(filters, wontedFilter(opts))
	}
	filters = append(filters, httpFilter("envoy.filters.http.router", &routerv3.Router{}))
	m := clientFacts(opts)
	m.StatPrefix = "clients"
	m.UpgradeConfigs = []*hcmv3.HttpConnectionManager_UpgradeConfig{{UpgradeType: "websocket"}}
	m.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: routes(opts)}
	m.HttpFilters = filters
	m.AccessLog = accessLogs(opts)
	return m
}

// clientFacts are the settings of any connection manager, also of one that is
// there already, by which wonted may believe what a request says of its client.
func clientFacts(opts Options) *hcmv3.HttpConnectionManager {
	return &hcmv3.HttpConnectionManager{
		UseRemoteAddress:  wrapperspb.Bool(true),
		XffNumTrustedHops: uint32(opts.TrustedProxies),
		NormalizePath:     wrapperspb.Bool(true),
		MergeSlashes:      true,
		EarlyHeaderMutationExtensions: []*corev3.TypedExtensionConfig{{
			Name: "envoy.http.early_header_mutation.header_mutation",
			TypedConfig: pack(&earlyv3.HeaderMutation{Mutations: []*mutationv3.HeaderMutation{{
				Action: &mutationv3.HeaderMutation_RemoveOnMatch_{RemoveOnMatch: &mutationv3.HeaderMutation_RemoveOnMatch{
					KeyMatcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{
						SafeRegex: &matcherv3.RegexMatcher{Regex: ours},
					}},
				}},
			}}}),
		}},
	}
}

// accessLogs are the one for people and the one for wonted, as far as wanted.
func accessLogs(opts Options) (logs []*accesslogv3.AccessLog) {
	if opts.AccessLog != "" {
		logs = append(logs, accessLog(opts.AccessLog))
	}
	if opts.Wonted != "" && opts.Depth.logged() {
		logs = append(logs, wontedLog(opts))
	}
	return logs
}

// routes sends everything upstream. The timeout is off because it would end
// every long download and event stream after 15 seconds.
func routes(opts Options) *routev3.RouteConfiguration {
	upstream := &routev3.Route_Route{Route: &routev3.RouteAction{
		ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: clusterUpstream},
		Timeout:          durationpb.New(0),
	}}
	var all []*routev3.Route
	if opts.Wonted != "" && opts.Depth.inline() { // at depth log nothing but the log is to be left out
		for _, path := range opts.Skip {
			all = append(all, &routev3.Route{Match: match(path), Action: upstream, TypedPerFilterConfig: unasked()})
		}
	}
	return &routev3.RouteConfiguration{
		Name: "all",
		VirtualHosts: []*routev3.VirtualHost{{
			Name:    "all",
			Domains: []string{"*"},
			Routes: append(all, &routev3.Route{
				Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
				Action: upstream,
			}),
		}},
	}
}

func downstreamTLS(t *TLS) *tlsv3.DownstreamTlsContext {
	common := &tlsv3.CommonTlsContext{
		AlpnProtocols: []string{"h2", "http/1.1"},
		TlsCertificates: []*tlsv3.TlsCertificate{{
			CertificateChain: fileSource(t.Certificate),
			PrivateKey:       fileSource(t.Key),
		}},
	}
	if t.ClientCA != "" {
		common.ValidationContextType = &tlsv3.CommonTlsContext_ValidationContext{
			ValidationContext: &tlsv3.CertificateValidationContext{TrustedCa: fileSource(t.ClientCA)},
		}
	}
	return &tlsv3.DownstreamTlsContext{CommonTlsContext: common}
}

func fileSource(path string) *corev3.DataSource {
	return &corev3.DataSource{Specifier: &corev3.DataSource_Filename{Filename: path}}
}

func httpFilter(name string, config proto.Message) *hcmv3.HttpFilter {
	return &hcmv3.HttpFilter{Name: name, ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: pack(config)}}
}
