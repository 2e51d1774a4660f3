package tracing

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// stuck is a receiver that takes nothing until it is let go.
type stuck struct {
	free chan struct{}
	err  error
}

func (s *stuck) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error {
	<-s.free
	return s.err
}

func (s *stuck) Shutdown(context.Context) error { return nil }

// What is over the bound is lost and counted, and every span is either sent or
// lost.
func TestBounded(t *testing.T) {
	const over = 10
	f := func(err error, sent, lost uint64) {
		t.Helper()
		out := &stuck{make(chan struct{}), err}
		var failures int
		b := newBounded(out, func(uint64) {}, func(error, uint64) { failures++ })
		p := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(b))
		for range mostWaiting + over {
			_, span := p.Tracer("").Start(t.Context(), "x")
			span.End()
		}
		if n := b.lost.Load(); n != over {
			t.Errorf("%d lost while nothing is taken, want %d", n, over)
		}
		close(out.free)
		if err := p.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if b.sent.Load() != sent || b.lost.Load() != lost || (failures > 0) != (err != nil) {
			t.Errorf("%d sent, %d lost, %d failures told; want %d, %d", b.sent.Load(), b.lost.Load(), failures, sent, lost)
		}
	}
	f(nil, mostWaiting, over)
	f(errors.New("away"), 0, mostWaiting+over)
}

func TestCertificates(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ca.pem")
	cfg := Config{Endpoint: "https://127.0.0.1:1", CA: name}
	if _, err := New(cfg); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(name, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(cfg); err == nil {
		t.Error("a file without certificates is taken")
	}
}
