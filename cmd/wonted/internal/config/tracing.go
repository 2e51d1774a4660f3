package config

import (
	"fmt"
	"net/url"
)

// Tracing says where a span of each sampled exchange goes. A request that
// carries a traceparent is sampled if that says so.
type Tracing struct {
	Endpoint string  `yaml:"endpoint"` // an OTLP receiver over gRPC, http(s)://host:port; "": nothing is traced
	Ratio    float64 `yaml:"ratio"`    // of the requests that carry no traceparent: 0 to 1
	CA       string  `yaml:"ca"`       // file of certificates (PEM) that vouch for it; "": the system's
}

func (c *Config) validateTracing(from source) error {
	t := &c.Tracing
	if !(t.Ratio >= 0 && t.Ratio <= 1) {
		return from.fault("tracing.ratio", fmt.Sprintf("a share of %v is impossible: 0 to 1", t.Ratio))
	}
	if t.Endpoint == "" {
		if t.CA != "" {
			return from.fault("tracing.ca", "there is no receiver that it could be about: set tracing.endpoint, or leave it out")
		}
		return nil
	}
	u, err := url.Parse(t.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Port() == "" ||
		u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		return from.fault("tracing.endpoint", fmt.Sprintf("%q is no OTLP receiver over gRPC: http://host:4317, or https, without a path", t.Endpoint))
	}
	if u.Scheme == "http" && t.CA != "" {
		return from.fault("tracing.ca", "over http nobody shows a certificate: write https in tracing.endpoint, or leave it out")
	}
	return nil
}
