package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// receiver takes spans over OTLP, as a collector does.
type receiver struct {
	collector.UnimplementedTraceServiceServer
	address string

	mu  sync.Mutex
	got map[string][]*spans.Span // by service
	all strings.Builder          // as JSON
}

func startReceiver(t *testing.T) *receiver {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	r := &receiver{address: l.Addr().String(), got: map[string][]*spans.Span{}}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, r)
	go server.Serve(l)
	t.Cleanup(server.Stop)
	return r
}

// Export implements collector.TraceServiceServer.
func (r *receiver) Export(_ context.Context, req *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rs := range req.ResourceSpans {
		service := attributes(rs.Resource.Attributes)["service.name"]
		for _, ss := range rs.ScopeSpans {
			r.got[service] = append(r.got[service], ss.Spans...)
		}
		if service == "wonted" {
			r.all.Write(must(protojson.Marshal(rs)))
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func (r *receiver) of(service string) []*spans.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*spans.Span(nil), r.got[service]...)
}

// attributes are written the way a person reads them.
func attributes(all []*common.KeyValue) map[string]string {
	m := map[string]string{}
	for _, a := range all {
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			m[a.Key] = v.StringValue
		case *common.AnyValue_ArrayValue:
			for _, e := range v.ArrayValue.Values {
				m[a.Key] += e.GetStringValue() + ";"
			}
		case *common.AnyValue_IntValue:
			m[a.Key] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_BoolValue:
			m[a.Key] = fmt.Sprint(v.BoolValue)
		case *common.AnyValue_DoubleValue:
			m[a.Key] = fmt.Sprint(v.DoubleValue)
		}
	}
	return m
}

// tracedWonted runs one that enforces a policy without teapots.
func tracedWonted(t *testing.T, endpoint string, ratio float64, depth string) (c *child, socket, metrics string) {
	t.Helper()
	dir := shortDir(t)
	rego := "package wonted.policy\n\ndeny contains {\"rule\": \"teapots\", \"reason\": \"no teapots\", \"status\": 404} if input.request.path == \"/teapot\"\n"
	if err := os.WriteFile(filepath.Join(dir, "policy.rego"), []byte(rego), 0o600); err != nil {
		t.Fatal(err)
	}
	socket, metrics = "unix://"+filepath.Join(dir, "a.sock"), freePort(t)
	file := filepath.Join(dir, "wonted.yaml")
	settings := fmt.Sprintf("mode: enforce\nadmin: %s\nlisten: %s\ndepth: %s\npolicy: {path: %s}\ntracing: {endpoint: \"http://%s\", ratio: %v}\n",
		metrics, socket, depth, dir, endpoint, ratio)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	c = spawn(t, "serve", "--config", file)
	c.says(t, `"message":"ready"`)
	return c, socket, metrics
}

// ask sends one request with this traceparent, and tells the status.
func ask(t *testing.T, url, traceparent string) int {
	t.Helper()
	req := must(http.NewRequest("GET", url, nil))
	req.Header.Set("x-api-key", "a-secret-nobody-must-see")
	if traceparent != "" {
		req.Header.Set("traceparent", traceparent)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func traceID(n int) string { return fmt.Sprintf("4bf92f3577b34da6a3ce929d0e0e%04x", n) }
func parentFlags(n, flags int) string {
	return fmt.Sprintf("00-%s-00f067aa0ba902b7-%02x", traceID(n), flags)
}

// Spans of what is sampled arrive at an OTLP receiver, with the verdict and as
// children of what the client sent; nothing else does, and nobody's name. What
// waits when wonted ends arrives, too.
func TestTraces(t *testing.T) {
	for _, depth := range []string{"headers", "adaptive"} {
		t.Run(depth, func(t *testing.T) {
			r := startReceiver(t)
			wonted, socket, _ := tracedWonted(t, r.address, 0, depth)
			upstream := envoytest.StartUpstream(t)
			proxy := envoytest.StartEnvoy(t, envoy.Options{Upstream: upstream.Address(), Wonted: socket, Depth: envoy.Depth(depth), MessageTimeout: 15 * time.Second})
			before := time.Now()
			for i, want := range []struct {
				path, traceparent string
				status            int
			}{
				{"/orders", parentFlags(0, 1), 200},
				{"/orders", parentFlags(1, 0), 200}, // its sender does not sample
				{"/orders", "", 200},                // of these, none
				{"/orders", "nonsense", 200},
				{"/teapot", parentFlags(4, 1), 404},
			} {
				if got := ask(t, proxy.URL()+want.path, want.traceparent); got != want.status {
					t.Errorf("%d: status %d", i, got)
				}
			}
			after := time.Now()
			proxy.Stop() // its access log has told all
			wonted.Process.Signal(syscall.SIGTERM)
			if err := wonted.ends(t); err != nil {
				t.Fatal(err)
			}
			got := map[string]*spans.Span{}
			for _, s := range r.of("wonted") {
				got[hex.EncodeToString(s.TraceId)] = s
			}
			if len(r.of("wonted")) != 2 || got[traceID(0)] == nil || got[traceID(4)] == nil {
				t.Fatalf("the receiver has %s", r.all.String())
			}
			for id, want := range map[string]map[string]string{
				traceID(0): {"wonted.verdict": "allow", "wonted.mode": "enforce", "http.request.method": "GET", "http.response.status_code": "200", "wonted.rules": ""},
				traceID(4): {"wonted.verdict": "deny", "wonted.mode": "enforce", "http.request.method": "GET", "http.response.status_code": "404", "wonted.rules": "teapots;"},
			} {
				s := got[id]
				has := attributes(s.Attributes)
				for k, v := range want {
					if has[k] != v {
						t.Errorf("%s: %s is %q, want %q", s.Name, k, has[k], v)
					}
				}
				if hex.EncodeToString(s.ParentSpanId) != "00f067aa0ba902b7" || len(has["wonted.decision_id"]) != 32 {
					t.Errorf("the span is %v", s)
				}
				start, end := time.Unix(0, int64(s.StartTimeUnixNano)), time.Unix(0, int64(s.EndTimeUnixNano))
				if start.Before(before.Add(-time.Second)) || end.Before(start) || start.After(after) {
					t.Errorf("from %v to %v, asked from %v to %v", start, end, before, after)
				}
			}
			if strings.Contains(r.all.String(), "secret") {
				t.Errorf("the receiver has %s", r.all.String())
			}
		})
	}
}

// Where Envoy traces, too, wonted's span is a child of Envoy's.
func TestTracesJoinEnvoys(t *testing.T) {
	r := startReceiver(t)
	_, socket, _ := tracedWonted(t, r.address, 0, "adaptive")
	upstream := envoytest.StartUpstream(t)
	url := tracingEnvoy(t, envoy.Options{Upstream: upstream.Address(), Wonted: socket, FailOpen: true, MessageTimeout: 15 * time.Second}, r.address)
	if got := ask(t, url+"/orders", parentFlags(7, 1)); got != 200 {
		t.Fatalf("status %d", got)
	}
	envoytest.Eventually(t, "wonted's span below one of Envoy's", func() error {
		of := map[string]bool{}
		for _, s := range r.of("envoy") {
			of[hex.EncodeToString(s.SpanId)] = true
		}
		for _, s := range r.of("wonted") {
			if hex.EncodeToString(s.TraceId) == traceID(7) && of[hex.EncodeToString(s.ParentSpanId)] {
				return nil
			}
		}
		return fmt.Errorf("%d spans of Envoy's; wonted's are %v", len(of), r.of("wonted"))
	})
}

// tracingEnvoy runs an Envoy as it is printed, with Envoy's own tracing added.
func tracingEnvoy(t *testing.T, opts envoy.Options, endpoint string) (url string) {
	t.Helper()
	opts.Listen, opts.Admin = freePort(t), freePort(t)
	text := string(must(envoy.Bootstrap(opts)))
	host, port, _ := net.SplitHostPort(endpoint)
	add := func(before, what string) {
		t.Helper()
		i := strings.Index(text, before)
		if i < 0 {
			t.Fatalf("no %q in:\n%s", before, text)
		}
		start := strings.LastIndexByte(text[:i], '\n') + 1
		indent := strings.Repeat(" ", i-start)
		text = text[:start] + indent + what + "\n" + text[start:]
	}
	add("stat_prefix: clients", `tracing: {provider: {name: envoy.tracers.opentelemetry, typed_config: {"@type": type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig, service_name: envoy, grpc_service: {envoy_grpc: {cluster_name: collector}}}}}`)
	i := strings.Index(text, "  clusters:\n")
	if i < 0 {
		t.Fatalf("no clusters in:\n%s", text)
	}
	i += len("  clusters:\n")
	rest := text[i:]
	indent := rest[:len(rest)-len(strings.TrimLeft(rest, " "))]
	text = text[:i] + indent + `- {name: collector, type: STATIC, typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {"@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {}}}}, ` +
		fmt.Sprintf("load_assignment: {cluster_name: collector, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %s, port_value: %s}}}}]}]}}\n", host, port) + rest
	file := filepath.Join(t.TempDir(), "envoy.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log lockedBuffer
	cmd := exec.Command(envoytest.Find(t), "--config-path", file, "--log-level", "warning", "--disable-hot-restart", "--concurrency", "1")
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s\n%s", text, log.String())
		}
	})
	url = "http://" + opts.Listen
	envoytest.Eventually(t, "Envoy answers", func() error {
		res, err := http.Get("http://" + opts.Admin + "/ready")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("it is not ready: %d", res.StatusCode)
		}
		return nil
	})
	return url
}

// A receiver that is away costs spans, which are counted and complained of once,
// and no request; nor does wonted end late.
func TestTracesWithoutReceiver(t *testing.T) {
	wonted, socket, admin := tracedWonted(t, freePort(t), 1, "headers")
	upstream := envoytest.StartUpstream(t)
	proxy := envoytest.StartEnvoy(t, envoy.Options{Upstream: upstream.Address(), Wonted: socket, Depth: envoy.DepthHeaders, MessageTimeout: 15 * time.Second})
	const asked = 50
	for range asked {
		if got := ask(t, proxy.URL()+"/orders", ""); got != 200 {
			t.Fatalf("status %d", got)
		}
	}
	wonted.says(t, "traces cannot be recorded; traffic is not affected")
	envoytest.Eventually(t, "all are lost", func() error {
		text := textOf(t, "http://"+admin+"/metrics")
		if !strings.Contains(text, fmt.Sprintf("wonted_trace_spans_lost_total %d\n", asked)) || !strings.Contains(text, "wonted_trace_spans_total 0\n") {
			return fmt.Errorf("the metrics do not say so")
		}
		return nil
	})
	if got := ask(t, proxy.URL()+"/orders", ""); got != 200 {
		t.Errorf("status %d", got)
	}
	if n := strings.Count(wonted.log.String(), "traces cannot be recorded"); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	wonted.Process.Signal(syscall.SIGTERM)
	if err := wonted.ends(t); err != nil {
		t.Error(err)
	}
}
