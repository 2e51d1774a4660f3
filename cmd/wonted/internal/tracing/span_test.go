package tracing

import (
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

func TestParent(t *testing.T) {
	const (
		id     = "4bf92f3577b34da6a3ce929d0e0e4736"
		client = "00-" + id + "-00f067aa0ba902b7-01"
	)
	f := func(proxy, request, want string) {
		t.Helper()
		c := &policy.Case{Traceparent: proxy}
		if request != "" {
			c.Exchange.Headers = []scoring.Header{{Name: []byte("accept"), Value: []byte("*/*")}, {Name: []byte("traceparent"), Value: []byte(request)}}
		}
		got := "none"
		if s := trace.SpanContextFromContext(parent(c)); s.IsValid() {
			got = s.TraceID().String() + " " + s.SpanID().String() + " " + s.TraceFlags().String()
		}
		if got != want {
			t.Errorf("%q, %q: %s, want %s", proxy, request, got, want)
		}
	}
	f("", "", "none")
	f("", client, id+" 00f067aa0ba902b7 01")
	f("", "00-"+id+"-00f067aa0ba902b7-00", id+" 00f067aa0ba902b7 00")
	f("00-"+id+"-1111111111111111-01", client, id+" 1111111111111111 01") // the proxy knows better
	f("nonsense", client, "none")
	f("", "cc-"+id+"-00f067aa0ba902b7-01-what-a-later-version-adds", id+" 00f067aa0ba902b7 01")
	f("", client[:54], "none")
	f("", client+"-more", "none") // not in version 00
	f("", "00-"+strings.ToUpper(id)+"-00f067aa0ba902b7-01", "none")
	f("", "00-"+strings.Repeat("0", 32)+"-00f067aa0ba902b7-01", "none")
	f("", "00-"+id+"-0000000000000000-01", "none")
	f("", "ff-"+id+"-00f067aa0ba902b7-01", "none")
	f("", strings.Repeat("0", 60_000), "none")
}

func FuzzParent(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Add("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x")
	f.Fuzz(func(t *testing.T, text string) {
		c := &policy.Case{Traceparent: text}
		s := trace.SpanContextFromContext(parent(c))
		if s.IsValid() && !strings.HasPrefix(text[2:], "-"+s.TraceID().String()+"-"+s.SpanID().String()+"-") {
			t.Errorf("%q became %v", text, s)
		}
	})
}
