package extproc

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/wonted-project/wonted/policy"
	"github.com/wonted-project/wonted/scoring"
)

// serve runs a Server on a Unix socket, beside a service that knows nothing of
// its codec, and connects to it.
func serve(t testing.TB, s *Server) *grpc.ClientConn {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(ServerOptions()...)
	s.Register(g)
	healthv1.RegisterHealthServer(g, health.NewServer())
	done := make(chan error, 1)
	go func() { done <- g.Serve(l) }()
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		g.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return conn
}

// talk sends the messages one after the other, waits for each answer, and
// leaves as Envoy does at a normal end: by cancelling.
func talk(t testing.TB, ctx context.Context, conn *grpc.ClientConn, messages ...*extprocv3.ProcessingRequest) (got []string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := extprocv3.NewExternalProcessorClient(conn).Process(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if err := stream.Send(m); err != nil {
			return got, err
		}
		r, err := stream.Recv()
		if err != nil {
			return got, err
		}
		got = append(got, brief(r))
	}
	return got, nil
}

// TestOverGRPC: the whole way, with the generated client.
func TestOverGRPC(t *testing.T) {
	g := &fakeGate{hooks: hooks{onAnswer: always(withBody(allow()))}}
	s := newServer(g, nil)
	conn := serve(t, s)
	got, err := talk(t, t.Context(), conn, words["rqh"], words["rqb$"], words["rsh"], words["rsb"], words["rsb$"])
	if want := "rqh+headers rqb rsh+body rsb rsb"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
		t.Errorf("another service: %v", err)
	}
}

// TestManyStreams at once over one connection, with bodies above a window's and
// a frame's size: no buffer is freed too early or written twice.
func TestManyStreams(t *testing.T) {
	var mu sync.Mutex
	sizes := map[string]int64{}
	g := &fakeGate{hooks: hooks{
		onAnswer: always(withBody(allow())),
		onClose: func(c *policy.Case, _ scoring.End) {
			mu.Lock()
			defer mu.Unlock()
			sizes[string(c.Exchange.Path)] = c.Exchange.ResponseBytes
		},
	}}
	conn := serve(t, newServer(g, nil))
	body := func(n int, eos bool) *extprocv3.ProcessingRequest {
		return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{
			ResponseBody: &extprocv3.HttpBody{Body: []byte(strings.Repeat("x", n)), EndOfStream: eos}}}
	}
	var group sync.WaitGroup
	for w := range 8 {
		group.Go(func() {
			for i := range 20 {
				path := "/" + string(rune('a'+w)) + strings.Repeat("p", i)
				request := rq(lines(":method", "GET", ":path", path, ":scheme", "https", ":authority", "api", "x-long", strings.Repeat(path, 200)), true)
				n := 100_000 * (1 + (w+i)%4)
				got, err := talk(t, t.Context(), conn, request, words["rsh"], body(n, false), body(i, true))
				if want := "rqh+headers rsh+body rsb rsb"; err != nil || strings.Join(got, " ") != want {
					t.Errorf("%v, %v", got, err)
				}
			}
		})
	}
	group.Wait()
	// The last answer arrives before the exchange is closed.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		mu.Lock()
		n := len(sizes)
		mu.Unlock()
		if n == 160 || time.Now().After(deadline) {
			break
		}
	}
	g.check(t)
	for w := range 8 {
		for i := range 20 {
			path := "/" + string(rune('a'+w)) + strings.Repeat("p", i)
			if want := int64(100_000*(1+(w+i)%4) + i); sizes[path] != want {
				t.Errorf("%s: %d bytes, not %d", path, sizes[path], want)
			}
		}
	}
}

// TestHugeMessage: larger than grpc-go's default of 4 MiB.
func TestHugeMessage(t *testing.T) {
	g := &fakeGate{hooks: hooks{onAnswer: always(withBody(allow())), onMeter: func(c *policy.Case) policy.Verdict {
		if c.Exchange.ResponseBytes != 20<<20 {
			panic("cut short")
		}
		return allow()
	}}}
	conn := serve(t, newServer(g, nil))
	got, err := talk(t, t.Context(), conn, words["rqh$"], words["rsh"], &extprocv3.ProcessingRequest{
		Request: &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: &extprocv3.HttpBody{Body: make([]byte, 20<<20), EndOfStream: true}}})
	if want := "rqh+headers rsh+body rsb"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("%v, %v", got, err)
	}
}

// TestFailClosedOverGRPC: what Envoy sees is an error, never a nil end.
func TestFailClosedOverGRPC(t *testing.T) {
	g := &fakeGate{hooks: hooks{onOpen: bang, onFail: bang}}
	conn := serve(t, newServer(g, func(c *Config) { c.Fail = policy.FailClosed }))
	if got, err := talk(t, t.Context(), conn, words["rqh$"]); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestExchange: what the Gate and the identity rules get to see of a request.
func TestExchange(t *testing.T) {
	type seen struct {
		Method, Scheme, Host, Path, Protocol, Source, JA4, URI, DNS, Subject string
		Headers                                                              [][2]string
		RequestBytes                                                         int64
		Metadata                                                             map[string]string
	}
	var got seen
	g := &fakeGate{hooks: hooks{onOpen: func(c *policy.Case) policy.Verdict {
		ex := &c.Exchange
		got = seen{
			string(ex.Method), string(ex.Scheme), string(ex.Host), string(ex.Path), string(ex.Protocol), string(ex.Source), string(ex.JA4),
			string(ex.PeerURISAN), string(ex.PeerDNSSAN), string(ex.PeerSubject), nil, ex.RequestBytes, map[string]string{},
		}
		for _, h := range ex.Headers {
			got.Headers = append(got.Headers, [2]string{string(h.Name), string(h.Value)})
		}
		for _, ns := range ex.Metadata {
			got.Metadata[string(ns.Name)] = string(ns.Struct)
		}
		return allow()
	}}}
	conn := serve(t, newServer(g, nil))
	request := rq(lines(":method", "PUT", ":scheme", "https", ":authority", "api", ":path", "/v1?q", "x-dup", "1", "x-dup", "2",
		"content-length", "77", "x-wonted-ja4", "forged"), false)
	peer := func(more map[string]any) {
		all := map[string]any{
			"source.address": "203.0.113.9:1", "request.protocol": "HTTP/2", "connection.mtls": true,
			"connection.uri_san_peer_certificate": "spiffe://a", "connection.dns_san_peer_certificate": "a", "connection.subject_peer_certificate": "CN=a",
		}
		for k, v := range more {
			all[k] = v
		}
		request.Attributes = map[string]*structpb.Struct{attributesKey: structOf(t, all)}
	}
	ask := func(ctx context.Context) {
		t.Helper()
		if answers, err := talk(t, ctx, conn, request); err != nil || len(answers) != 1 {
			t.Fatalf("%v, %v", answers, err)
		}
	}
	peer(nil)
	ask(metadata.AppendToOutgoingContext(t.Context(), "x-wonted-ja4", "t13d3112h2_e8f1e7e78f70_b26ce05bbdd6"))
	want := seen{
		Method: "PUT", Scheme: "https", Host: "api", Path: "/v1?q", Protocol: "HTTP/2", Source: "203.0.113.9:1",
		JA4: "t13d3112h2_e8f1e7e78f70_b26ce05bbdd6", URI: "spiffe://a", DNS: "a", Subject: "CN=a", RequestBytes: 77,
		Headers:  [][2]string{{"x-dup", "1"}, {"x-dup", "2"}, {"content-length", "77"}, {"x-wonted-ja4", "forged"}},
		Metadata: map[string]string{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}

	// A certificate counts only if Envoy has verified it; a fingerprint only
	// from metadata.
	for _, unverified := range []string{"connection.mtls", "connection.peer_certificate_valid"} {
		peer(map[string]any{unverified: false})
		ask(t.Context())
		if got.URI+got.DNS+got.Subject != "" {
			t.Errorf("%s false, and yet %q %q %q", unverified, got.URI, got.DNS, got.Subject)
		}
		if got.JA4 != "" {
			t.Errorf("a client's own fingerprint: %q", got.JA4)
		}
	}
	ask(metadata.AppendToOutgoingContext(t.Context(), "x-wonted-ja4", "-"))
	if got.JA4 != "" {
		t.Errorf("no fingerprint is %q", got.JA4)
	}
}

// TestResponse: what the Gate gets to see of a response.
func TestResponse(t *testing.T) {
	type seen struct {
		Status         int
		Bytes, Records int64
		Body           bool // whether it was asked for
	}
	f := func(name, method string, headers []string, eos bool, want seen) {
		t.Helper()
		var got seen
		g := &fakeGate{hooks: hooks{onAnswer: func(c *policy.Case) policy.Verdict {
			got = seen{c.Exchange.Status, c.Exchange.ResponseBytes, c.Exchange.Records, false}
			return withBody(allow())
		}}}
		s := newServer(g, nil)
		stream := &script{messages: [][]byte{
			marshal(t, rq(lines(":method", method, ":path", "/"), true)),
			marshal(t, rs(lines(headers...), eos)),
		}}
		if err := s.process(stream); err != nil {
			t.Fatal(err)
		}
		got.Body = brief(stream.answers[1]) == "rsh+body"
		if got != want {
			t.Errorf("%s: %+v, not %+v", name, got, want)
		}
	}
	f("declared", "GET", []string{":status", "200", "content-length", "12"}, false, seen{200, 12, -1, true})
	f("unknown", "GET", []string{":status", "200"}, false, seen{200, -1, -1, true})
	f("nonsense", "GET", []string{":status", "200", "content-length", "-12"}, false, seen{200, -1, -1, true})
	f("no body", "GET", []string{":status", "500"}, true, seen{500, 0, -1, false})
	f("HEAD", "HEAD", []string{":status", "200", "content-length", "12"}, false, seen{200, 0, -1, false})
	f("204", "GET", []string{":status", "204"}, false, seen{204, 0, -1, false})
	f("304", "GET", []string{":status", "304", "content-length", "12"}, false, seen{304, 0, -1, false})
	f("upgrade", "GET", []string{":status", "101"}, false, seen{101, -1, -1, true})
	f("gRPC error without a body", "POST", []string{":status", "200", "grpc-status", "16"}, true, seen{401, 0, -1, false})
	f("gRPC, all is well", "POST", []string{":status", "200", "grpc-status", "0"}, true, seen{200, 0, -1, false})
	f("no status", "GET", nil, false, seen{0, -1, -1, true})
}

// TestMetering: bytes and records as they pass, and the status of a gRPC call
// in its trailers.
func TestMetering(t *testing.T) {
	var metered [][2]int64
	g := &fakeGate{hooks: hooks{
		onAnswer: always(withBody(allow())),
		onMeter: func(c *policy.Case) policy.Verdict {
			metered = append(metered, [2]int64{c.Exchange.ResponseBytes, c.Exchange.Records})
			return allow()
		},
	}}
	s := newServer(g, nil)
	if err := s.process(&script{messages: encodeWords(t, []string{"rqh$", "rsh", "rsb", "rsb$"})}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][2]int64{{7, 2}, {10, 3}}, metered); diff != "" {
		t.Error(diff)
	}
	rst := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseTrailers{
		ResponseTrailers: &extprocv3.HttpTrailers{Trailers: lines("grpc-status", "7")}}}
	compressed := rs(lines(":status", "200", "content-type", "application/json", "content-encoding", "gzip"), false)
	metered = nil
	if err := s.process(&script{messages: [][]byte{
		marshal(t, words["rqh$"]), marshal(t, compressed), marshal(t, words["rsb"]), marshal(t, rst),
	}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][2]int64{{7, -1}}, metered); diff != "" {
		t.Error(diff)
	}
	if g.last.Status != 403 {
		t.Errorf("status %d", g.last.Status)
	}
	g.check(t)
}
