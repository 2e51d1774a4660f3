package tracing

import (
	"context"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// mostWaiting bounds the spans that wait for the receiver, about 1 KiB each.
const mostWaiting = 2048

// bounded is OpenTelemetry's batch processor, which drops what finds its queue
// full and does not say how many: here they are counted before they reach it.
type bounded struct {
	sdktrace.SpanProcessor
	waiting    atomic.Int64 // in the queue, or on their way
	sent, lost atomic.Uint64
}

func newBounded(out sdktrace.SpanExporter, sent func(lost uint64), failed func(err error, lost uint64)) *bounded {
	b := &bounded{}
	b.SpanProcessor = sdktrace.NewBatchSpanProcessor(&counted{out, b, sent, failed},
		sdktrace.WithMaxQueueSize(mostWaiting), sdktrace.WithMaxExportBatchSize(mostWaiting/4),
		sdktrace.WithBatchTimeout(batchEvery), sdktrace.WithExportTimeout(2*exportTimeout))
	return b
}

// OnEnd implements sdktrace.SpanProcessor.
func (b *bounded) OnEnd(s sdktrace.ReadOnlySpan) {
	if b.waiting.Add(1) > mostWaiting {
		b.waiting.Add(-1)
		b.lost.Add(1)
		return
	}
	b.SpanProcessor.OnEnd(s)
}

// counted tells how batches fare. It never fails: the processor would print
// every error on the standard error.
type counted struct {
	sdktrace.SpanExporter
	b      *bounded
	sent   func(lost uint64)
	failed func(err error, lost uint64)
}

// ExportSpans implements sdktrace.SpanExporter.
func (c *counted) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := c.SpanExporter.ExportSpans(ctx, spans)
	n := len(spans)
	c.b.waiting.Add(-int64(n))
	if err != nil {
		c.failed(err, c.b.lost.Add(uint64(n)))
		return nil
	}
	c.b.sent.Add(uint64(n))
	c.sent(c.b.lost.Load())
	return nil
}
