package envoy

import (
	"slices"
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	grpclogv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/grpc/v3"
	tracingv3 "github.com/envoyproxy/go-control-plane/envoy/type/tracing/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	// LogName is what the access log calls itself: wonted leaves alone the
	// entries of a log of another name.
	LogName = "wonted"

	// Entries travel together, since a message costs either side about what
	// one entry does. An entry has 0.5 to 2 kB. How long they wait is how late
	// wonted learns that an exchange is over, and how many it holds open:
	// 100 ms are 500 at 5,000 requests a second. A batch of 12 KiB, with the
	// entry that overfills it, still fits one HTTP/2 frame, and is read where it
	// lies. It is also all that Envoy keeps while the stream is being opened or
	// wonted is behind: what is over it is dropped, and counted as
	// access_logs.grpc_access_log.logs_dropped.
	logFlush = 100 * time.Millisecond
	logBytes = 12 << 10
)

// identityHeaders are the request headers that wonted reads where nothing but
// the log shows them: those that name a caller by default, and what policies
// ask for most. user-agent, referer, x-forwarded-for and x-request-id have
// fields of their own in every entry.
var identityHeaders = []string{
	"x-api-key", "authorization", "cookie",
	"accept", "accept-encoding", "accept-language",
	"content-type", "content-encoding",
	"api-version", "x-api-version",
}

// wontedLog is the access log by which wonted learns how each exchange ended,
// also of those that never came to its filter. At depth log it carries, beside
// that, who the caller was.
func wontedLog(opts Options) *accesslogv3.AccessLog {
	common := &grpclogv3.CommonGrpcAccessLogConfig{
		LogName:             LogName,
		GrpcService:         toWonted(),
		TransportApiVersion: corev3.ApiVersion_V3,
		BufferFlushInterval: durationpb.New(opts.LogFlush),
		BufferSizeBytes:     wrapperspb.UInt32(logBytes),
	}
	config := &grpclogv3.HttpGrpcAccessLogConfig{
		CommonConfig: common,
		// A gRPC error is a 200 with this trailer, or with this header where
		// there is no body.
		AdditionalResponseHeadersToLog:  []string{"grpc-status"},
		AdditionalResponseTrailersToLog: []string{"grpc-status"},
	}
	if opts.Depth == DepthLog {
		names := slices.Concat(identityHeaders, opts.LogHeaders)
		slices.Sort(names)
		config.AdditionalRequestHeadersToLog = slices.Compact(names)
		if opts.fingerprinted() {
			// initial_metadata is one for the whole log; a tag is one an entry.
			common.CustomTags = []*tracingv3.CustomTag{{
				Tag: JA4Key, Type: &tracingv3.CustomTag_Value{Value: "%TLS_JA4_FINGERPRINT%"},
			}}
		}
	}
	return &accesslogv3.AccessLog{
		Name:       "envoy.access_loggers.http_grpc",
		Filter:     notSkipped(opts.Skip),
		ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: pack(config)},
	}
}
