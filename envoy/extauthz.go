package envoy

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extauthzv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/durationpb"
)

const filterExtAuthz = "envoy.filters.http.ext_authz"

// extAuthzFilter asks an authorisation server where wonted would stand: what
// wonted is compared with.
func extAuthzFilter(opts Options) *hcmv3.HttpFilter {
	service := overGRPC(clusterExtAuthz)
	service.Timeout = durationpb.New(opts.MessageTimeout)
	return httpFilter(filterExtAuthz, &extauthzv3.ExtAuthz{
		StatPrefix:          "peer",
		Services:            &extauthzv3.ExtAuthz_GrpcService{GrpcService: service},
		TransportApiVersion: corev3.ApiVersion_V3,
		FailureModeAllow:    opts.FailOpen,
	})
}
