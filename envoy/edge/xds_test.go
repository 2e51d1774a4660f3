package edge

import (
	"context"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	extensionv3 "github.com/envoyproxy/go-control-plane/envoy/service/extension/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/wonted-project/wonted/envoy"
)

func (s *scene) client() extensionv3.ExtensionConfigDiscoveryServiceClient {
	conn, err := grpc.NewClient("unix://"+s.socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { conn.Close() })
	return extensionv3.NewExtensionConfigDiscoveryServiceClient(conn)
}

// asks is what Envoy says first on a stream.
func asks(version string) *discoveryv3.DiscoveryRequest {
	return &discoveryv3.DiscoveryRequest{
		VersionInfo: version, Node: &corev3.Node{Id: "some", Cluster: "proxies"},
		ResourceNames: []string{envoy.BlocksName}, TypeUrl: resource.ExtensionConfigType,
	}
}

// Whoever asks before there is a list waits for it, and gets no empty one.
func TestWhoAsksEarlyWaits(t *testing.T) {
	s := newScene(t)
	l, p := newPublisher(t, nil, badNet)
	s.serve(p)
	stream, err := s.client().StreamExtensionConfigs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(asks("")); err != nil {
		t.Fatal(err)
	}
	value(t, "it is connected", p.metrics.proxies, 1)
	l.set(worseNet) // a change is no reason either
	go p.Run(t.Context())
	for want := range 3 {
		got, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Resources) != 1 || got.VersionInfo == "" {
			t.Fatalf("%v", got)
		}
		var is corev3.TypedExtensionConfig
		if err := got.Resources[0].UnmarshalTo(&is); err != nil {
			t.Fatal(err)
		}
		if now := newState(parse(l.texts()...)); got.VersionInfo != now.version || !proto.Equal(&is, now.config) {
			t.Errorf("answer %d is not the list as it is", want)
		}
		ack := asks(got.VersionInfo)
		ack.ResponseNonce = got.Nonce
		if err := stream.Send(ack); err != nil {
			t.Fatal(err)
		}
		l.set([]string{badNet, worseNet}[:want]...)
	}
}

// A version is the same for the same list, whoever has it, and no other.
func TestAVersionIsThatOfTheContent(t *testing.T) {
	seen := map[string]bool{}
	for _, of := range [][]string{nil, {badNet}, {worseNet}, {badNet, worseNet}} {
		one, other := newState(parse(of...)), newState(parse(of...))
		if one.version != other.version || seen[one.version] || len(one.version) != 16 {
			t.Errorf("%v: %s, %s", of, one.version, other.version)
		}
		seen[one.version] = true
	}
}

// Who asks for something else, or nonsense, does no harm.
func TestOddQuestionsDoNoHarm(t *testing.T) {
	s := newScene(t)
	_, p := s.publish(badNet)
	client := s.client()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	for _, change := range []func(*discoveryv3.DiscoveryRequest){
		func(r *discoveryv3.DiscoveryRequest) { *r = discoveryv3.DiscoveryRequest{} },
		func(r *discoveryv3.DiscoveryRequest) { r.TypeUrl = "type.googleapis.com/none" },
		func(r *discoveryv3.DiscoveryRequest) { r.TypeUrl = resource.ClusterType },
		func(r *discoveryv3.DiscoveryRequest) { r.ResourceNames = []string{"", "another", "*"} },
		func(r *discoveryv3.DiscoveryRequest) { r.ResponseNonce, r.VersionInfo = "stale", "other" },
		func(r *discoveryv3.DiscoveryRequest) { r.Node = nil },
	} {
		r := asks("")
		change(r)
		stream, err := client.StreamExtensionConfigs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			_ = stream.Send(r) // it may have been ended
		}
		delta, err := client.DeltaExtensionConfigs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_ = delta.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, Node: r.Node, ResourceNamesSubscribe: r.ResourceNames, ResponseNonce: r.ResponseNonce})
		_, _ = client.FetchExtensionConfigs(ctx, r)
	}
	<-ctx.Done()
	value(t, "they have gone", p.metrics.proxies, 0)
	s.startEnvoy()
	s.becomes(403, bad)
}
