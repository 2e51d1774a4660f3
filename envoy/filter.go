package envoy

import (
	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	jwtv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/jwt_authn/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
)

const (
	filterWonted = "envoy.filters.http.ext_proc"
	filterJWT    = "envoy.filters.http.jwt_authn"

	// JA4Key is the gRPC metadata key that carries the client's TLS
	// fingerprint, and the name of the custom tag that does in an access log
	// entry at depth log. It comes from Envoy's connection, not from the
	// request's headers, so no client can write it.
	JA4Key = "x-wonted-ja4"

	// MetadataNamespace holds wonted's verdicts in Envoy's dynamic metadata,
	// where access logs and later filters find them.
	MetadataNamespace = "wonted"
)

// attributes is what wonted wants to know of a request beyond its headers.
// Those that a connection does not have are simply missing.
var attributes = []string{
	"source.address", "source.port", "request.id", "request.protocol",
	"connection.mtls", "connection.peer_certificate_valid",
	"connection.uri_san_peer_certificate",
	"connection.dns_san_peer_certificate",
	"connection.subject_peer_certificate",
}

// framing are the headers that decide where a message ends and whence it
// came. Envoy lets a processor rewrite them; no policy has a reason to.
const framing = `^(connection|content-length|transfer-encoding|upgrade|te|x-forwarded-for|x-request-id|:path)$`

// wontedFilter is the external processor's filter.
func wontedFilter(opts Options) *hcmv3.HttpFilter {
	return httpFilter(filterWonted, wontedProcessor(opts))
}

// wontedProcessor is the filter's configuration. The reasons are in comments.go,
// where people who receive the YAML read them too.
func wontedProcessor(opts Options) *extprocv3.ExternalProcessor {
	response := extprocv3.ProcessingMode_SKIP
	if opts.ResponseHeaders {
		response = extprocv3.ProcessingMode_SEND
	}
	body := extprocv3.ProcessingMode_NONE
	if opts.ResponseBodies {
		body = extprocv3.ProcessingMode_STREAMED
	}
	grpc := toWonted()
	if opts.fingerprinted() {
		grpc.InitialMetadata = []*corev3.HeaderValue{{Key: JA4Key, Value: "%TLS_JA4_FINGERPRINT%"}}
	}
	if opts.shared() {
		grpc.InitialMetadata = append(grpc.InitialMetadata, affinity(opts)...)
	}
	return &extprocv3.ExternalProcessor{
		StatPrefix:       "wonted",
		GrpcService:      grpc,
		FailureModeAllow: opts.FailOpen,
		MessageTimeout:   durationpb.New(opts.MessageTimeout),
		ProcessingMode: &extprocv3.ProcessingMode{
			RequestHeaderMode:   extprocv3.ProcessingMode_SEND,
			ResponseHeaderMode:  response,
			RequestBodyMode:     extprocv3.ProcessingMode_NONE,
			ResponseBodyMode:    body,
			RequestTrailerMode:  extprocv3.ProcessingMode_SKIP,
			ResponseTrailerMode: extprocv3.ProcessingMode_SKIP,
		},
		AllowModeOverride: true,
		RequestAttributes: attributes,
		MetadataOptions: &extprocv3.MetadataOptions{
			ReceivingNamespaces:  &extprocv3.MetadataOptions_MetadataNamespaces{Untyped: []string{MetadataNamespace}},
			ForwardingNamespaces: &extprocv3.MetadataOptions_MetadataNamespaces{Untyped: []string{filterJWT}},
		},
		MutationRules: &mutationv3.HeaderMutationRules{
			DisallowExpression: &matcherv3.RegexMatcher{Regex: framing},
		},
	}
}

// toWonted is the way to wonted's gRPC services.
func toWonted() *corev3.GrpcService { return overGRPC(clusterWonted) }

func overGRPC(cluster string) *corev3.GrpcService {
	return &corev3.GrpcService{TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{
		EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: cluster},
	}}
}

// jwtFilter verifies tokens before wonted sees the request, and leaves their
// claims in metadata that no client can write. A request without a token goes
// on (it may carry an API key); a token that does not verify does not.
func jwtFilter(opts Options) *hcmv3.HttpFilter {
	providers := map[string]*jwtv3.JwtProvider{}
	var accept []*jwtv3.JwtRequirement
	for _, j := range opts.JWT {
		providers[j.Name] = &jwtv3.JwtProvider{
			Issuer:            j.Issuer,
			Audiences:         j.Audiences,
			Forward:           true,
			PayloadInMetadata: j.Name,
			JwksSourceSpecifier: &jwtv3.JwtProvider_LocalJwks{LocalJwks: &corev3.DataSource{
				Specifier: &corev3.DataSource_Filename{Filename: j.JWKS},
			}},
		}
		accept = append(accept, &jwtv3.JwtRequirement{
			RequiresType: &jwtv3.JwtRequirement_ProviderName{ProviderName: j.Name},
		})
	}
	accept = append(accept, &jwtv3.JwtRequirement{
		RequiresType: &jwtv3.JwtRequirement_AllowMissing{AllowMissing: &emptypb.Empty{}},
	})
	return httpFilter(filterJWT, &jwtv3.JwtAuthentication{
		Providers: providers,
		Rules: []*jwtv3.RequirementRule{{
			Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
			RequirementType: &jwtv3.RequirementRule_Requires{Requires: &jwtv3.JwtRequirement{
				RequiresType: &jwtv3.JwtRequirement_RequiresAny{
					RequiresAny: &jwtv3.JwtRequirementOrList{Requirements: accept},
				},
			}},
		}},
	})
}
