// Package tracing turns exchanges into OpenTelemetry spans and sends them to an
// OTLP receiver over gRPC: one span an exchange, beside those of the proxy and of
// the services that the same request has passed.
//
// It may import policy and scoring, and is the only package that may import
// OpenTelemetry. Start reading at Tracer.Record; bounded.go keeps a receiver that
// is slow or away from costing more than spans.
package tracing

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/credentials"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

const (
	batchEvery    = time.Second
	exportTimeout = 5 * time.Second // of one batch, with what is tried again
	closeTimeout  = 3 * time.Second
)

// Config is what a Tracer is made of.
type Config struct {
	Endpoint string  // http://host:port, or https
	Ratio    float64 // of requests without a traceparent that begin a trace, 0 to 1
	CA       string  // file of certificates (PEM) that vouch for the receiver; "": the system's
	Version  string  // of this program
	Sent     func(lost uint64)
	Failed   func(err error, lost uint64) // it and Sent are called by one goroutine, after each batch
}

// Tracer sends spans. It implements policy.Recorder.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	spans    *bounded
}

// New makes a Tracer. It dials when there is something to send: a receiver may
// start later. The error is about CA.
func New(cfg Config) (*Tracer, error) {
	options := []otlptracegrpc.Option{otlptracegrpc.WithEndpointURL(cfg.Endpoint), otlptracegrpc.WithTimeout(exportTimeout)}
	if cfg.CA != "" {
		pem, err := os.ReadFile(cfg.CA)
		if err != nil {
			return nil, fmt.Errorf("tracing: ca: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tracing: ca: %s holds no certificate (PEM)", cfg.CA)
		}
		options = append(options, otlptracegrpc.WithTLSCredentials(credentials.NewClientTLSFromCert(pool, "")))
	}
	out, err := otlptracegrpc.New(context.Background(), options...)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	t := &Tracer{spans: newBounded(out, cfg.Sent, cfg.Failed)}
	t.provider = sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.Ratio))),
		sdktrace.WithSpanProcessor(t.spans),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "wonted"), attribute.String("service.version", cfg.Version))),
	)
	t.tracer = t.provider.Tracer("github.com/wonted-project/wonted")
	return t, nil
}

// Run waits until ctx is done, and then sends what waits, for a bounded time.
func (t *Tracer) Run(ctx context.Context) error {
	<-ctx.Done()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	return t.provider.Shutdown(closing)
}

// Sent is how many spans the receiver has taken, Lost how many it has not.
func (t *Tracer) Sent() uint64 { return t.spans.sent.Load() }
func (t *Tracer) Lost() uint64 { return t.spans.lost.Load() }

// Record implements policy.Recorder; it never blocks, and keeps nothing of an
// exchange that is not sampled.
func (t *Tracer) Record(c *policy.Case, end scoring.End) {
	ex := &c.Exchange
	_, span := t.tracer.Start(parent(c), spanName(ex), trace.WithTimestamp(ex.Time))
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(describe(c, end)...)
	span.End(trace.WithTimestamp(ex.Time.Add(max(0, ex.Duration))))
}
