package envoy

import (
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filelogv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	"google.golang.org/protobuf/types/known/structpb"
)

// logFields are the names that Istio gave to Envoy's JSON access log, so that
// one reader understands both, and wonted's verdict beside them. Credentials
// stay out: an access log is read by many.
var logFields = map[string]string{
	"start_time":                "%START_TIME%",
	"method":                    "%REQ(:METHOD)%",
	"path":                      "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
	"authority":                 "%REQ(:AUTHORITY)%",
	"protocol":                  "%PROTOCOL%",
	"user_agent":                "%REQ(USER-AGENT)%",
	"request_id":                "%REQ(X-REQUEST-ID)%",
	"downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
	"upstream_host":             "%UPSTREAM_HOST%",
	"response_code":             "%RESPONSE_CODE%",
	"response_code_details":     "%RESPONSE_CODE_DETAILS%",
	"response_flags":            "%RESPONSE_FLAGS%",
	"bytes_received":            "%BYTES_RECEIVED%",
	"bytes_sent":                "%BYTES_SENT%",
	"duration":                  "%DURATION%",
	"wonted":                    "%DYNAMIC_METADATA(" + MetadataNamespace + ")%",
}

func accessLog(path string) *accesslogv3.AccessLog {
	fields := make(map[string]*structpb.Value, len(logFields))
	for name, operator := range logFields {
		fields[name] = structpb.NewStringValue(operator)
	}
	return &accesslogv3.AccessLog{
		Name: "envoy.access_loggers.file",
		ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: pack(&filelogv3.FileAccessLog{
			Path: path,
			AccessLogFormat: &filelogv3.FileAccessLog_LogFormat{LogFormat: &corev3.SubstitutionFormatString{
				Format: &corev3.SubstitutionFormatString_JsonFormat{JsonFormat: &structpb.Struct{Fields: fields}},
			}},
		})},
	}
}
