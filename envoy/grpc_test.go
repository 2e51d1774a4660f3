package envoy_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// services are gRPC's own samples of a unary call and of streams: health and
// reflection. Every call ends as its client asks in the metadata "end": with
// this status, after everything was sent. All of them send a header and a
// trailer.
func services(t testing.TB) (address string, alive *health.Server) {
	t.Helper()
	asked := func(ctx context.Context, otherwise error) error {
		if end := metadata.ValueFromIncomingContext(ctx, "end"); len(end) == 1 {
			code, _ := strconv.Atoi(end[0])
			return status.Error(codes.Code(code), "as was asked")
		}
		return otherwise
	}
	server := grpc.NewServer(
		grpc.UnaryInterceptor(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, call grpc.UnaryHandler) (any, error) {
			_ = grpc.SetHeader(ctx, metadata.Pairs("x-head", "h"))
			_ = grpc.SetTrailer(ctx, metadata.Pairs("x-tail", "t"))
			out, err := call(ctx, in)
			return out, asked(ctx, err)
		}),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, call grpc.StreamHandler) error {
			_ = stream.SetHeader(metadata.Pairs("x-head", "h"))
			stream.SetTrailer(metadata.Pairs("x-tail", "t"))
			return asked(stream.Context(), call(srv, stream))
		}),
	)
	alive = health.NewServer()
	healthpb.RegisterHealthServer(server, alive)
	reflection.Register(server)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l)
	t.Cleanup(server.Stop)
	return l.Addr().String(), alive
}

// rpc is a scene in which everything speaks gRPC.
func rpc(t testing.TB, depth envoy.Depth, rules ...string) (*scene, *grpc.ClientConn, *health.Server) {
	t.Helper()
	address, alive := services(t)
	s := set(t, envoytest.Settings{Depth: string(depth), Fail: "closed", Policy: rego(rules...)}, func(o *envoy.Options) {
		o.Upstream, o.UpstreamHTTP2 = address, true
	})
	conn, err := grpc.NewClient("passthrough:///"+s.envoy.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return s, conn, alive
}

// as is the context of a call with this key, and pairs of further metadata.
func as(ctx context.Context, key string, pairs ...string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, append(pairs, "x-api-key", key)...)
}

func TestUnaryGRPCKeepsItsStatusAndItsTrailers(t *testing.T) {
	for _, depth := range []envoy.Depth{envoy.DepthAdaptive, envoy.DepthLean, envoy.DepthLog} {
		t.Run(string(depth), func(t *testing.T) { unary(t, depth) })
	}
}

func unary(t *testing.T, depth envoy.Depth) {
	s, conn, _ := rpc(t, depth, `deny contains "not over gRPC" if input.request.headers["x-unwanted"]`)
	client := healthpb.NewHealthClient(conn)
	call := func(key, service string, want codes.Code, pairs ...string) {
		t.Helper()
		var head, tail metadata.MD
		_, err := client.Check(as(t.Context(), key, pairs...), &healthpb.HealthCheckRequest{Service: service}, grpc.Header(&head), grpc.Trailer(&tail))
		if status.Code(err) != want {
			t.Errorf("%q: ended with %v, want %v", service, err, want)
		}
		if got := strings.Join(append(head["x-head"], tail["x-tail"]...), ""); got != "ht" && len(pairs) == 0 {
			t.Errorf("%q: header %v, trailer %v", service, head, tail)
		}
	}
	s.judged("an answer", learned, func(key string) { call(key, "", codes.OK) }, answered)
	s.judged("an error in the trailers", asked, func(key string) { call(key, "unheard-of", codes.NotFound) }, answered)
	for _, code := range []codes.Code{codes.Unauthenticated, codes.PermissionDenied} {
		s.judged("a credential refused: "+code.String(), takenBack, func(key string) {
			call(key, "", code, "end", strconv.Itoa(int(code)))
		}, answered)
	}
	if depth == envoy.DepthLog {
		return // nothing can be refused
	}
	s.judged("a refusal of ours", takenBack, func(key string) { call(key, "", codes.PermissionDenied, "x-unwanted", "1") }, refused)
	s.undisturbed()
}

func TestAStreamOfGRPCIsNotHeldBack(t *testing.T) {
	s, conn, alive := rpc(t, envoy.DepthLean, `deny contains "never" if input.request.method == "BREW"`)
	const service = "sample"
	alive.SetServingStatus(service, healthpb.HealthCheckResponse_SERVING)
	watch := func(ctx context.Context) {
		t.Helper()
		stream, err := healthpb.NewHealthClient(conn).Watch(ctx, &healthpb.HealthCheckRequest{Service: service})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 20 { // each only once the one before has arrived
			want := []healthpb.HealthCheckResponse_ServingStatus{healthpb.HealthCheckResponse_SERVING, healthpb.HealthCheckResponse_NOT_SERVING}[n%2]
			alive.SetServingStatus(service, want)
			if m, err := stream.Recv(); err != nil || m.Status != want {
				t.Fatalf("received %v (%v), want %v", m, err, want)
			}
		}
	}
	s.judged("left by the client", counted, func(key string) {
		ctx, cancel := context.WithCancel(as(t.Context(), key))
		defer cancel()
		watch(ctx)
	}, unknown)
	s.undisturbed()
}

func TestBothWaysOfAGRPCStreamGoOnAtOnce(t *testing.T) {
	s, conn, _ := rpc(t, envoy.DepthAdaptive, `deny contains "never" if input.request.method == "BREW"`)
	converse := func(ctx context.Context, want codes.Code) {
		t.Helper()
		stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if err := stream.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}); err != nil {
				t.Fatal(err)
			}
			if m, err := stream.Recv(); err != nil || len(m.GetListServicesResponse().GetService()) == 0 {
				t.Fatalf("received %v, %v", m, err)
			}
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		m, err := stream.Recv()
		if got := status.Code(err); !errors.Is(err, io.EOF) && got != want || errors.Is(err, io.EOF) && want != codes.OK {
			t.Errorf("ended with %v, %v, want %v", m, err, want)
		}
		if head, err := stream.Header(); err != nil || len(head["x-head"]) != 1 || len(stream.Trailer()["x-tail"]) != 1 {
			t.Errorf("header %v (%v), trailer %v", head, err, stream.Trailer())
		}
	}
	s.judged("a conversation", learned, func(key string) { converse(as(t.Context(), key), codes.OK) }, answered)
	s.judged("an error at its end", asked, func(key string) {
		converse(as(t.Context(), key, "end", "8"), codes.ResourceExhausted)
	}, answered)
	s.judged("refused at its end", takenBack, func(key string) {
		converse(as(t.Context(), key, "end", "7"), codes.PermissionDenied)
	}, answered)
	s.undisturbed()
}
