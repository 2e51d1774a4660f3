package envoy_test

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	pb "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/wonted-project/wonted/envoy"
	"github.com/wonted-project/wonted/envoy/envoytest"
)

// script is a processor of a few lines that stands where wonted would, to
// show what Envoy does with an answer. Its messages are the generated types.
type script func(pb.ExternalProcessor_ProcessServer) error

type scripted struct {
	pb.UnimplementedExternalProcessorServer
	mu   sync.Mutex
	play script
}

func (p *scripted) Process(stream pb.ExternalProcessor_ProcessServer) error {
	p.mu.Lock()
	play := p.play
	p.mu.Unlock()
	return play(stream)
}

// stage is client, Envoy, a scripted processor and an upstream.
type stage struct {
	*scene
	processor *scripted
	logbook   *logbook
}

// play makes s answer the streams that open from now on.
func (s *stage) play(p script) {
	s.processor.mu.Lock()
	defer s.processor.mu.Unlock()
	s.processor.play = p
}

func newStage(t testing.TB, edit func(*hcmv3.HttpConnectionManager), changes ...func(*envoy.Options)) *stage {
	t.Helper()
	dir, err := os.MkdirTemp("", "stage-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	p := &scripted{}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	pb.RegisterExternalProcessorServer(server, p)
	book := new(logbook)
	accesslogv3.RegisterAccessLogServiceServer(server, book)
	go server.Serve(l)
	t.Cleanup(server.Stop)

	s := &scene{TB: t, upstream: envoytest.StartUpstream(t), access: filepath.Join(t.TempDir(), "access.log")}
	opts := envoy.Options{
		Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Concurrency: 1, MessageTimeout: patient,
		Upstream: s.upstream.Address(), Wonted: "unix://" + socket, AccessLog: s.access,
		Depth: envoy.DepthHeaders, LogFlush: 10 * time.Millisecond,
	}
	for _, change := range changes {
		change(&opts)
	}
	if s.envoy, err = envoy.StartEdited(t.Context(), envoytest.Find(t), opts, t.TempDir(), func(b *bootstrapv3.Bootstrap) {
		editManager(t, b, func(m *hcmv3.HttpConnectionManager) {
			if edit != nil {
				edit(m)
			}
		})
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.envoy.Stop)
	return &stage{s, p, book}
}

// editManager changes the connection manager inside a bootstrap.
func editManager(t testing.TB, b *bootstrapv3.Bootstrap, edit func(*hcmv3.HttpConnectionManager)) {
	t.Helper()
	filter := b.StaticResources.Listeners[0].FilterChains[0].Filters[0]
	var m hcmv3.HttpConnectionManager
	if err := filter.GetTypedConfig().UnmarshalTo(&m); err != nil {
		t.Fatal(err)
	}
	edit(&m)
	packed, err := anypb.New(&m)
	if err != nil {
		t.Fatal(err)
	}
	filter.GetTypedConfig().Value = packed.Value
}

// filter is an HTTP filter of somebody else's.
func filter(t testing.TB, name string, config proto.Message) *hcmv3.HttpFilter {
	t.Helper()
	packed, err := anypb.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return &hcmv3.HttpFilter{Name: name, ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: packed}}
}

// The answers that scripts are made of.

func mode(response extprocv3.ProcessingMode_HeaderSendMode, body extprocv3.ProcessingMode_BodySendMode) *extprocv3.ProcessingMode {
	return &extprocv3.ProcessingMode{ResponseHeaderMode: response, ResponseBodyMode: body}
}

const (
	headersSent = extprocv3.ProcessingMode_SEND
	bodyNone    = extprocv3.ProcessingMode_NONE
	bodyChunks  = extprocv3.ProcessingMode_STREAMED
)

func requestGoesOn(m *extprocv3.ProcessingMode, set ...*corev3.HeaderValueOption) *pb.ProcessingResponse {
	return &pb.ProcessingResponse{ModeOverride: m, Response: &pb.ProcessingResponse_RequestHeaders{
		RequestHeaders: &pb.HeadersResponse{Response: &pb.CommonResponse{HeaderMutation: &pb.HeaderMutation{SetHeaders: set}}},
	}}
}

func responseGoesOn(m *extprocv3.ProcessingMode) *pb.ProcessingResponse {
	return &pb.ProcessingResponse{ModeOverride: m, Response: &pb.ProcessingResponse_ResponseHeaders{ResponseHeaders: &pb.HeadersResponse{}}}
}

func chunkGoesOn() *pb.ProcessingResponse {
	return &pb.ProcessingResponse{Response: &pb.ProcessingResponse_ResponseBody{ResponseBody: &pb.BodyResponse{}}}
}

func immediately(status typev3.StatusCode) *pb.ProcessingResponse {
	answer := &pb.ImmediateResponse{Details: "scripted answer", Body: []byte("no")}
	if status != 0 {
		answer.Status = &typev3.HttpStatus{Code: status}
	}
	return &pb.ProcessingResponse{Response: &pb.ProcessingResponse_ImmediateResponse{ImmediateResponse: answer}}
}

func header(name, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{Header: &corev3.HeaderValue{Key: name, RawValue: []byte(value)}}
}
